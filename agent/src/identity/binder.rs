//! Binds each interface to one pod, and never to another.
//!
//! Addresses are reused, and what is known of pods comes late, in any order, or never. So an interface is bound
//! only to a pod whose times allow no other interface, when no other pod's times allow this one. What cannot be
//! told apart stays unknown.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    time::{Duration, SystemTime},
};

use api::{
    pods::{Life, Pods, key},
    v1,
};
use detect::Subject;

/// What has the same addresses may be told this late; until then what is gone is bound to nobody.
const SETTLE: Duration = Duration::from_secs(3);
/// How long interfaces are remembered that are gone.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How many of them.
const GONE: usize = 4096;
/// Kubernetes tells times in whole seconds, rounded down.
const ROUNDED: Duration = Duration::from_secs(1);

/// All interfaces of the node, and their pods.
#[derive(Debug, Default)]
pub struct Binder {
    node: String,
    interfaces: BTreeMap<u64, Interface>,
    /// Those that are there, by index.
    there: HashMap<u32, u64>,
    by_subject: HashMap<Subject, u64>,
    /// By the pod's key: which interface it has, or had last.
    pods: HashMap<String, u64>,
    /// What was bound before this agent, of interfaces that are still the same.
    former: HashMap<Subject, Bound>,
    /// Whether the pods are known as they are now, rather than as they were once.
    is_current: bool,
    /// Until then what is told may still change what can be bound.
    restless_until: Option<SystemTime>,
    next: u64,
    forgotten: u64,
}

/// What lasts over a restart of the agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bound {
    /// The interface.
    pub subject: Subject,
    /// Key of the pod.
    pub pod: String,
    /// Since when the interface is there.
    pub appeared_at: Option<SystemTime>,
}

#[derive(Debug)]
struct Interface {
    ifindex: u32,
    subject: Option<Subject>,
    addresses: Vec<IpAddr>,
    life: Life,
    state: State,
}

#[derive(Debug)]
enum State {
    Bound(String),
    Unknown(&'static str),
}

const NO_ADDRESS: &str = "no address of it is known yet";
const NO_POD: &str = "no pod with its address is known yet";
const OUTDATED: &str = "the collector has not told the pods since this agent started";
const SEVERAL: &str = "several pods had its address at about that time";
const ELSEWHERE: &str = "the pod with its address may have had another interface";

impl Binder {
    /// Of a node without interfaces yet. With `is_current`, what is known of pods is true now.
    #[must_use]
    pub fn new(node: &str, former: Vec<Bound>, is_current: bool) -> Self {
        Self {
            node: node.to_owned(),
            former: former.into_iter().map(|it| (it.subject, it)).collect(),
            is_current,
            ..Self::default()
        }
    }

    /// From now on what is known of pods is true.
    pub const fn set_current(&mut self) {
        self.is_current = true;
    }

    /// An interface is there; since then, or before anybody looked.
    pub fn appeared(&mut self, ifindex: u32, appeared_at: Option<SystemTime>) {
        self.next += 1;
        let interface = Interface {
            ifindex,
            subject: None,
            addresses: Vec::new(),
            life: Life {
                appeared_at,
                gone_at: None,
            },
            state: State::Unknown(NO_ADDRESS),
        };
        self.interfaces.insert(self.next, interface);
        self.there.insert(ifindex, self.next);
    }

    /// It is watched as this subject.
    pub fn watched(&mut self, subject: Subject) {
        let Some(&id) = self.there.get(&subject.ifindex) else {
            return;
        };
        self.by_subject.insert(subject, id);
        let former = self.former.remove(&subject);
        let Some(interface) = self.interfaces.get_mut(&id) else {
            return;
        };
        interface.subject = Some(subject);
        if let Some(former) = former
            && !self.pods.contains_key(&former.pod)
        {
            interface.life.appeared_at = interface.life.appeared_at.or(former.appeared_at);
            interface.state = State::Bound(former.pod.clone());
            self.pods.insert(former.pod, id);
        }
    }

    /// The addresses behind it are these, as far as is known.
    pub fn addresses(&mut self, ifindex: u32, addresses: &[IpAddr]) {
        let id = self.there.get(&ifindex);
        let interface = id.and_then(|id| self.interfaces.get_mut(id));
        // What it was known by last is what it is told apart by once it is gone.
        if let Some(interface) = interface.filter(|_| !addresses.is_empty()) {
            interface.addresses = addresses.to_vec();
        }
    }

    /// It is gone.
    pub fn gone(&mut self, ifindex: u32, now: SystemTime) {
        let id = self.there.remove(&ifindex);
        if let Some(interface) = id.and_then(|id| self.interfaces.get_mut(&id)) {
            interface.life.gone_at = Some(now);
        }
    }

    /// Binds what can be bound by now, and forgets what went long ago. Those that were bound. `is_news` says
    /// whether anything was told, of pods or of interfaces, since this was called last.
    pub fn bind(&mut self, pods: &Pods, is_news: bool, now: SystemTime) -> Vec<Subject> {
        self.forget(now);
        if is_news {
            self.restless_until = Some(now + 2 * SETTLE);
        }
        let is_restless = self.restless_until.is_some_and(|until| now <= until);
        let bound = match self.is_current && is_restless {
            true => self.match_pods(pods, now),
            false => Vec::new(),
        };
        bound
            .into_iter()
            .filter_map(|id| self.interfaces.get(&id)?.subject)
            .collect()
    }

    fn match_pods(&mut self, pods: &Pods, now: SystemTime) -> Vec<u64> {
        let mut candidates: BTreeMap<u64, HashSet<String>> = BTreeMap::new();
        let mut claims: HashMap<String, u32> = HashMap::new();
        for (&id, interface) in &self.interfaces {
            if matches!(interface.state, State::Bound(_)) {
                continue;
            }
            let fitting = self.fitting(interface, pods);
            for pod in &fitting {
                *claims.entry(pod.clone()).or_default() += 1;
            }
            candidates.insert(id, fitting);
        }
        let doubtful = self.doubtful(&claims, pods);
        let mut bound = Vec::new();
        for (id, fitting) in candidates {
            let Some(interface) = self.interfaces.get_mut(&id) else {
                continue;
            };
            let mut fitting = fitting.into_iter();
            let state = match (fitting.next(), fitting.next()) {
                _ if interface.addresses.is_empty() => State::Unknown(NO_ADDRESS),
                (None, _) => State::Unknown(NO_POD),
                (Some(_), Some(_)) => State::Unknown(SEVERAL),
                (Some(pod), None) if claims.get(&pod) != Some(&1) => State::Unknown(ELSEWHERE),
                (Some(pod), None) if doubtful.contains(&pod) && !interface.has_stayed(now) => {
                    State::Unknown(ELSEWHERE)
                }
                (Some(pod), None) if interface.is_settled(now) => State::Bound(pod),
                (Some(_), None) => State::Unknown(NO_POD),
            };
            if let State::Bound(pod) = &state {
                self.pods.insert(pod.clone(), id);
                bound.push(id);
            }
            interface.state = state;
        }
        bound
    }

    /// Those of the pods that may have had an interface of which no address was known when it went.
    fn doubtful(&self, claims: &HashMap<String, u32>, pods: &Pods) -> HashSet<String> {
        let interfaces = self.interfaces.values();
        let nameless: Vec<_> = interfaces
            .filter(|it| it.addresses.is_empty() && it.life.gone_at.is_some())
            .filter(|it| matches!(it.state, State::Unknown(_)))
            .collect();
        let doubtful = claims.keys().filter(|key| {
            let pod = pods.by_uid(key).filter(|pod| pod.started_at.is_some());
            pod.is_some_and(|pod| nameless.iter().any(|it| it.life.may_be_of(pod)))
        });
        doubtful.cloned().collect()
    }

    /// Keys of the pods that can be behind it.
    fn fitting(&self, interface: &Interface, pods: &Pods) -> HashSet<String> {
        let with_address = |address: &IpAddr| pods.with_address(*address);
        let pods = interface.addresses.iter().flat_map(with_address);
        let fitting = pods.filter(|pod| {
            let here = pod.node.is_empty() || pod.node == self.node;
            here && interface.life.may_be_of(pod) && self.is_free(pod, interface)
        });
        fitting.map(key).collect()
    }

    /// Whether the pod has no other interface: not now, and none before unless its containers started anew since.
    fn is_free(&self, pod: &v1::Pod, interface: &Interface) -> bool {
        let other = self
            .pods
            .get(&key(pod))
            .and_then(|id| self.interfaces.get(id));
        let Some(other) = other else {
            // What an operator wrote down has no times, and is true of what is there.
            return pod.started_at.is_some() || interface.life.gone_at.is_none();
        };
        let Some(gone) = other.life.gone_at else {
            return false;
        };
        let running = pod.running_at.and_then(|it| SystemTime::try_from(it).ok());
        pod.started_at.is_none() || running.is_some_and(|running| running + ROUNDED > gone)
    }

    fn forget(&mut self, now: SystemTime) {
        let old = |life: &Life| {
            let age = life.gone_at.and_then(|gone| now.duration_since(gone).ok());
            age.is_some_and(|age| age > REMEMBERED)
        };
        let mut gone = self.interfaces.len().saturating_sub(self.there.len());
        let too_many: Vec<_> = self
            .interfaces
            .iter()
            .filter(|(_, it)| it.life.gone_at.is_some())
            .take_while(|(_, it)| {
                let forget = gone > GONE || old(&it.life);
                gone = gone.saturating_sub(1);
                forget
            })
            .map(|(&id, it)| (id, old(&it.life)))
            .collect();
        for (id, is_old) in too_many {
            self.forgotten += u64::from(!is_old);
            if let Some(interface) = self.interfaces.remove(&id) {
                if let Some(subject) = interface.subject {
                    self.by_subject.remove(&subject);
                }
                if let State::Bound(pod) = interface.state
                    && self.pods.get(&pod) == Some(&id)
                {
                    self.pods.remove(&pod);
                }
            }
        }
    }

    /// Interfaces that were forgotten early, because too many went at once.
    pub const fn take_forgotten(&mut self) -> u64 {
        std::mem::replace(&mut self.forgotten, 0)
    }

    /// The pod that the subject is of, when that is certain.
    #[must_use]
    pub fn pod<'a>(&self, subject: Subject, pods: &'a Pods) -> Option<&'a v1::Pod> {
        pods.by_uid(self.key_of(subject)?)
    }

    /// Its key, even when no more is known of it.
    #[must_use]
    pub fn key_of(&self, subject: Subject) -> Option<&str> {
        match &self.interface(subject)?.state {
            State::Bound(pod) => Some(pod),
            State::Unknown(_) => None,
        }
    }

    /// Why no pod is known.
    #[must_use]
    pub fn why_unknown(&self, subject: Subject) -> Option<&'static str> {
        match &self.interface(subject)?.state {
            State::Bound(_) => None,
            State::Unknown(_) if !self.is_current => Some(OUTDATED),
            State::Unknown(why) => Some(why),
        }
    }

    /// Since when its interface was there.
    #[must_use]
    pub fn appeared_at(&self, subject: Subject) -> Option<SystemTime> {
        self.interface(subject)?.life.appeared_at
    }

    fn interface(&self, subject: Subject) -> Option<&Interface> {
        self.interfaces.get(self.by_subject.get(&subject)?)
    }

    /// Index of the interface of the pod, while it is there.
    #[must_use]
    pub fn interface_of(&self, pod: &v1::Pod) -> Option<u32> {
        let interface = self.interfaces.get(self.pods.get(&key(pod))?)?;
        let there = interface.life.gone_at.is_none();
        there.then_some(interface.ifindex)
    }

    /// What should last over a restart.
    #[must_use]
    pub fn bound(&self) -> Vec<Bound> {
        let there = self.there.values().filter_map(|id| self.interfaces.get(id));
        let bound = there.filter_map(|interface| match &interface.state {
            State::Bound(pod) => Some(Bound {
                subject: interface.subject?,
                pod: pod.clone(),
                appeared_at: interface.life.appeared_at,
            }),
            State::Unknown(_) => None,
        });
        bound.collect()
    }
}

impl Interface {
    /// Whether it is there for so long that a pod that went before would be known to have ended.
    fn has_stayed(&self, now: SystemTime) -> bool {
        let appeared = self.life.appeared_at.unwrap_or(SystemTime::UNIX_EPOCH);
        let stayed = now.duration_since(appeared).is_ok_and(|age| age >= SETTLE);
        stayed && self.life.gone_at.is_none()
    }

    /// Whether all is known by now that could have had its address while it was there.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Some(gone) = self.life.gone_at else {
            return true;
        };
        now.duration_since(gone).is_ok_and(|age| age >= SETTLE)
    }
}

#[cfg(test)]
mod tests;
