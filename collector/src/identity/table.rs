//! The pods of the cluster, and what became different on which node.

mod makers;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use api::{pods::Pods, v1};
use tokio::sync::watch;

use self::makers::{Full, Makers};
use super::convert::Maker;

/// How long pods are remembered that have ended: what they did may be told late.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Of those, on one node.
const ENDED: usize = 4096;
/// Pods in all; Kubernetes supports 150,000.
const MOST: usize = 200_000;
/// Forgotten pods that a node can be told of; who missed more is told the whole table.
const FORGOTTEN: usize = 1024;

/// Pods, and who made them.
#[derive(Debug)]
pub(super) struct Table {
    pods: Pods,
    /// By uid: when it became different, in revisions, and who made it.
    records: HashMap<String, Record>,
    makers: Makers,
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

/// What a node is told.
pub(super) enum News {
    Whole(Vec<v1::Pod>),
    Changes(v1::PodChanges),
}

impl Table {
    pub(super) fn new(pods: Pods) -> Self {
        Self {
            pods,
            records: HashMap::new(),
            makers: Makers::default(),
            nodes: BTreeMap::new(),
            revision: 0,
        }
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
        let before = self.pods.by_uid(&pod.uid);
        let record = self.records.get(&pod.uid);
        let former_uid = record.map(|it| it.owner_uid.clone()).unwrap_or_default();
        let maker = self.makers.maker_of(&owner_uid).cloned();
        // Pods outlive what made them for a while, and keep the name.
        let former = before.filter(|_| former_uid == owner_uid);
        let former = former.and_then(|it| it.owner.clone());
        pod.owner = maker.or(former).or(owner.clone());
        if before == Some(&pod) {
            return Ok(());
        }
        let ends = pod.ended_at.is_some() && before.is_none_or(|it| it.ended_at.is_none());
        self.revision += 1;
        if former_uid != owner_uid {
            self.makers.disown(&former_uid, &pod.uid);
            self.makers.adopt(&owner_uid, &pod.uid);
        }
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
            let pod = super::convert::gone(pod.clone(), now);
            let maker = self.records.get(uid).and_then(|record| {
                let owner = record.owner.clone()?;
                let uid = record.owner_uid.clone();
                Some(Maker { owner, uid })
            });
            // There is room for it: it is there.
            let _room = self.insert(pod, maker, now);
        }
    }

    /// Who made what makes pods, which is of that kind.
    pub(super) fn made(
        &mut self,
        kind: &'static str,
        uid: &str,
        by: v1::Owner,
    ) -> Result<(), Full> {
        for pod in self.makers.made(kind, uid, by.clone())? {
            let Some(mut pod) = self.pods.by_uid(&pod).cloned() else {
                continue;
            };
            let Some(record) = self.records.get_mut(&pod.uid) else {
                continue;
            };
            self.revision += 1;
            record.revision = self.revision;
            pod.owner = Some(by.clone());
            if let Some(node) = self.nodes.get(&pod.node) {
                node.revision.send_replace(self.revision);
            }
            self.pods.insert(pod);
        }
        Ok(())
    }

    /// What makes pods is gone.
    pub(super) fn forget_maker(&mut self, uid: &str) {
        self.makers.forget(uid);
    }

    /// All of a kind that make pods are gone but these.
    pub(super) fn keep_makers(&mut self, kind: &'static str, seen: &BTreeSet<String>) {
        self.makers.keep(kind, seen);
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
                node.uids.remove(&uid);
                if let Some(record) = self.records.remove(&uid) {
                    self.makers.disown(&record.owner_uid, &uid);
                }
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
        // Whoever follows one that is gone by now is told the whole.
        let is_needed = |node: &OfNode| !node.uids.is_empty() || node.revision.receiver_count() > 0;
        self.nodes.retain(|_, node| is_needed(node));
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
            more: false,
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
        let followed = table.follow("n1");
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
        table.forget(now(700));
        assert!(table.nodes.contains_key("n1"), "somebody follows it");
        drop(followed);
        table.forget(now(700));
        assert_eq!((table.len(), table.nodes.len()), (0, 0));
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
        let web = owner("Deployment", "web");
        table.made("replicasets", "rs", web.clone()).unwrap();
        table.insert(pod("late", "n1"), maker(), now(0)).unwrap();
        for uid in ["early", "late"] {
            assert_eq!(of(&table, uid).as_ref(), Some(&web));
        }
        table.keep_makers("jobs", &BTreeSet::new());
        assert!(table.makers.maker_of("rs").is_some(), "of another kind");
        table.keep_makers("replicasets", &BTreeSet::new());
        assert!(table.makers.maker_of("rs").is_none());
        for uid in ["early", "late"] {
            table.end(uid, now(1));
            assert_eq!(of(&table, uid).as_ref(), Some(&web), "it keeps the name");
        }
        table.forget(now(700));
        assert!(table.makers.is_empty());
    }
}
