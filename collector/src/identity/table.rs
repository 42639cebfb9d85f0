//! The pods of the cluster, and what became different on which node.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use api::{pods::Pods, v1};
use tokio::sync::watch;

use super::convert::Maker;

/// How long pods are remembered that have ended: what they did may be told late.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Of those, on one node.
const ENDED: usize = 4096;
/// Pods in all; Kubernetes supports 150,000.
const MOST: usize = 200_000;
/// Forgotten pods that a node can be told of; who missed more is told the whole table.
const FORGOTTEN: usize = 1024;
/// Pods in one message to an agent.
pub(super) const TOLD: usize = 512;

/// Pods, and who made them.
#[derive(Debug)]
pub(super) struct Table {
    pods: Pods,
    /// By uid: when it became different, in revisions, and who made it.
    records: HashMap<String, Record>,
    /// Who made what makes pods, by its uid.
    makers: HashMap<String, v1::Owner>,
    nodes: BTreeMap<String, OfNode>,
    revision: u64,
}

#[derive(Debug)]
struct Record {
    revision: u64,
    /// As the pod itself says.
    owner: Option<v1::Owner>,
    /// Uid of that.
    owner_uid: String,
}

/// One node's.
#[derive(Debug)]
struct OfNode {
    uids: BTreeSet<String>,
    /// Uids of those that have ended, in that order.
    ended: VecDeque<(SystemTime, String)>,
    forgotten: VecDeque<(u64, String)>,
    /// Up to here what was forgotten is not remembered any more.
    lost: u64,
    revision: watch::Sender<u64>,
}

impl Default for OfNode {
    fn default() -> Self {
        Self {
            uids: BTreeSet::new(),
            ended: VecDeque::new(),
            forgotten: VecDeque::new(),
            lost: 0,
            revision: watch::Sender::new(0),
        }
    }
}

/// There are more pods than there is room for.
#[derive(Debug)]
pub(super) struct Full;

/// What a node is told.
pub(super) enum News {
    Whole(Vec<v1::Pod>),
    Changes(v1::PodChanges),
}

impl Table {
    pub(super) fn new(pods: Pods) -> Self {
        let mut table = Self {
            pods: Pods::default(),
            records: HashMap::new(),
            makers: HashMap::new(),
            nodes: BTreeMap::new(),
            revision: 0,
        };
        table.pods = pods;
        table
    }

    pub(super) const fn pods(&self) -> &Pods {
        &self.pods
    }

    /// How many are known.
    pub(super) fn len(&self) -> usize {
        self.pods.len()
    }

    pub(super) fn insert(
        &mut self,
        mut pod: v1::Pod,
        maker: Option<Maker>,
        now: SystemTime,
    ) -> Result<(), Full> {
        if self.pods.len() >= MOST && !self.records.contains_key(&pod.uid) {
            return Err(Full);
        }
        let (owner, owner_uid) = maker.map(|it| (it.owner, it.uid)).unzip();
        let owner_uid = owner_uid.unwrap_or_default();
        pod.owner = self.makers.get(&owner_uid).cloned().or(owner.clone());
        let before = self.pods.by_uid(&pod.uid);
        if before == Some(&pod) {
            return Ok(());
        }
        let ends = pod.ended_at.is_some() && before.is_none_or(|it| it.ended_at.is_none());
        self.revision += 1;
        let record = Record {
            revision: self.revision,
            owner,
            owner_uid,
        };
        self.records.insert(pod.uid.clone(), record);
        let node = self.nodes.entry(pod.node.clone()).or_default();
        node.uids.insert(pod.uid.clone());
        if ends {
            node.ended.push_back((now, pod.uid.clone()));
        }
        node.revision.send_replace(self.revision);
        self.pods.insert(pod);
        Ok(())
    }

    /// The pod is no more; what is known of it is kept for a while.
    pub(super) fn end(&mut self, uid: &str, now: SystemTime) {
        if let Some(pod) = self.pods.by_uid(uid).filter(|it| it.ended_at.is_none()) {
            let pod = super::convert::deleted(pod.clone(), now);
            let maker = self.records.get(uid).and_then(|record| {
                let owner = record.owner.clone()?;
                let uid = record.owner_uid.clone();
                Some(Maker { owner, uid })
            });
            // There is room for it: it is there.
            let _room = self.insert(pod, maker, now);
        }
    }

    /// Who made what makes pods; none when that is gone.
    pub(super) fn made(&mut self, uid: &str, maker: Option<v1::Owner>) {
        let known = self.makers.get(uid);
        if known == maker.as_ref() {
            return;
        }
        match maker {
            Some(maker) => self.makers.insert(uid.to_owned(), maker),
            // Its pods may outlive it for a while, and keep the name.
            None => {
                self.makers.remove(uid);
                return;
            }
        };
        let pods: Vec<_> = self
            .records
            .iter()
            .filter(|(_, record)| record.owner_uid == uid)
            .map(|(pod, _)| pod.clone())
            .collect();
        for uid in pods {
            let Some(mut pod) = self.pods.by_uid(&uid).cloned() else {
                continue;
            };
            let Some(record) = self.records.get_mut(&uid) else {
                continue;
            };
            self.revision += 1;
            record.revision = self.revision;
            pod.owner = self.makers.get(&record.owner_uid).cloned().or(pod.owner);
            if let Some(node) = self.nodes.get(&pod.node) {
                node.revision.send_replace(self.revision);
            }
            self.pods.insert(pod);
        }
    }

    /// Uids of the pods that live, by what told of them.
    pub(super) fn alive(&self) -> BTreeSet<String> {
        let records = self.records.keys();
        let alive = |uid: &&String| {
            let pod = self.pods.by_uid(uid);
            pod.is_some_and(|pod| pod.ended_at.is_none())
        };
        records.filter(alive).cloned().collect()
    }

    /// Forgets what ended long ago, or for whose kind there is no room.
    pub(super) fn forget(&mut self, now: SystemTime) {
        for node in self.nodes.values_mut() {
            while let Some((ended, _)) = node.ended.front() {
                let old = now.duration_since(*ended).is_ok_and(|age| age > REMEMBERED);
                if !old && node.ended.len() <= ENDED {
                    break;
                }
                let Some((_, uid)) = node.ended.pop_front() else {
                    break;
                };
                self.pods.remove(&uid);
                self.records.remove(&uid);
                node.uids.remove(&uid);
                self.revision += 1;
                node.forgotten.push_back((self.revision, uid));
                if node.forgotten.len() > FORGOTTEN
                    && let Some((revision, _)) = node.forgotten.pop_front()
                {
                    node.lost = revision;
                }
                node.revision.send_replace(self.revision);
            }
        }
    }

    pub(super) fn follow(&mut self, node: &str) -> watch::Receiver<u64> {
        let node = self.nodes.entry(node.to_owned()).or_default();
        node.revision.subscribe()
    }

    /// What became different on the node after the revision, and the revision now. None stands for the whole.
    pub(super) fn news(&self, name: &str, seen: Option<u64>) -> (u64, News) {
        let Some(node) = self.nodes.get(name) else {
            return (self.revision, News::Whole(self.pods.of_node(name).pods));
        };
        let Some(seen) = seen.filter(|seen| *seen >= node.lost) else {
            return (self.revision, News::Whole(self.pods.of_node(name).pods));
        };
        let newer = |uid: &&String| self.records.get(*uid).is_some_and(|it| it.revision > seen);
        let changed = node.uids.iter().filter(newer);
        let changed = changed.filter_map(|uid| self.pods.by_uid(uid)).cloned();
        let forgotten = node
            .forgotten
            .iter()
            .filter(|(revision, _)| *revision > seen);
        let changes = v1::PodChanges {
            pods: changed.collect(),
            forgotten: forgotten.map(|(_, uid)| uid.clone()).collect(),
        };
        (self.revision, News::Changes(changes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn pod(uid: &str, node: &str) -> v1::Pod {
        v1::Pod {
            uid: uid.into(),
            node: node.into(),
            addresses: vec!["10.0.0.1".into()],
            ..v1::Pod::default()
        }
    }

    fn told(news: &News) -> (Vec<&str>, Vec<&str>) {
        match news {
            News::Whole(pods) => (
                pods.iter().map(|it| it.uid.as_str()).collect(),
                vec!["whole"],
            ),
            News::Changes(changes) => (
                changes.pods.iter().map(|it| it.uid.as_str()).collect(),
                changes.forgotten.iter().map(String::as_str).collect(),
            ),
        }
    }

    #[test]
    fn a_node_is_told_its_own_pods_and_then_what_changes() {
        let mut table = Table::new(Pods::default());
        let followed = table.follow("n1");
        table.insert(pod("a", "n1"), None, now(0)).unwrap();
        table.insert(pod("b", "n2"), None, now(0)).unwrap();
        let (seen, news) = table.news("n1", None);
        assert_eq!(told(&news), (vec!["a"], vec!["whole"]));
        assert!(followed.has_changed().unwrap());

        table.insert(pod("a", "n1"), None, now(1)).unwrap();
        let (same, news) = table.news("n1", Some(seen));
        assert_eq!((same, told(&news)), (seen, (vec![], vec![])), "nothing new");

        table.insert(pod("c", "n1"), None, now(1)).unwrap();
        table.end("a", now(2));
        let (later, news) = table.news("n1", Some(seen));
        assert_eq!(told(&news), (vec!["a", "c"], vec![]));

        table.forget(now(601));
        assert!(table.pods().by_uid("a").is_some());
        table.forget(now(603));
        assert!(table.pods().by_uid("a").is_none());
        let (_, news) = table.news("n1", Some(later));
        assert_eq!(told(&news), (vec![], vec!["a"]));
    }

    #[test]
    fn pods_that_come_and_go_take_bounded_room() {
        let mut table = Table::new(Pods::default());
        let (start, _) = table.news("n1", None);
        let count = ENDED + FORGOTTEN + 10;
        for index in 0..count {
            let uid = index.to_string();
            table.insert(pod(&uid, "n1"), None, now(0)).unwrap();
            table.end(&uid, now(1));
            table.forget(now(2));
        }
        assert_eq!(table.len(), ENDED);
        assert_eq!(table.records.len(), ENDED);
        let (_, news) = table.news("n1", Some(start));
        let (pods, forgotten) = told(&news);
        assert_eq!(
            (pods.len(), forgotten),
            (ENDED, vec!["whole"]),
            "missed too much"
        );
    }

    #[test]
    fn a_pod_is_of_what_made_its_maker_whichever_is_told_first() {
        let maker = || {
            Some(Maker {
                owner: owner("ReplicaSet", "web-1"),
                uid: "rs".into(),
            })
        };
        fn owner(kind: &str, name: &str) -> v1::Owner {
            v1::Owner {
                kind: kind.into(),
                name: name.into(),
            }
        }
        let mut table = Table::new(Pods::default());
        table.insert(pod("early", "n1"), maker(), now(0)).unwrap();
        let of = |table: &Table, uid| table.pods().by_uid(uid).unwrap().owner.clone();
        assert_eq!(of(&table, "early"), Some(owner("ReplicaSet", "web-1")));
        table.made("rs", Some(owner("Deployment", "web")));
        table.insert(pod("late", "n1"), maker(), now(0)).unwrap();
        for uid in ["early", "late"] {
            assert_eq!(of(&table, uid), Some(owner("Deployment", "web")));
        }
        table.made("rs", None);
        assert_eq!(of(&table, "late"), Some(owner("Deployment", "web")));
    }
}
