//! Binds each interface to one pod, and never to another.
//!
//! Addresses are reused, and what is known of pods comes late, in any order, or never. So an interface is bound
//! only to a pod whose times allow no other interface, when no other pod's times allow this one. What cannot be
//! told apart stays unknown.

mod interface;
mod matching;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::{Duration, SystemTime},
};

use api::{
    pods::{Life, Pods, address_of, key},
    v1,
};
use detect::Subject;

use self::interface::{FORGOTTEN, Interface, NO_ADDRESS, OUTDATED, SETTLE, State, UNSEEN};

/// How long interfaces are remembered that are gone.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How many of them.
const GONE: usize = 4096;

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
    /// What an agent before this one knew, until it shows whether it is still so.
    former: HashMap<Subject, Former>,
    /// Whether the pods are known as they are now, rather than as they were once.
    is_current: bool,
    /// Until then what is told may still change what can be bound.
    restless_until: Option<SystemTime>,
    next: u64,
    forgotten: u64,
}

/// An interface as one agent knows it, for the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Former {
    /// The interface.
    pub subject: Subject,
    /// What it was called.
    pub name: String,
    /// Those behind it.
    pub addresses: Vec<IpAddr>,
    /// Key of the pod, when it was certain.
    pub pod: Option<String>,
    /// Since when the interface is there.
    pub appeared_at: Option<SystemTime>,
}

impl Binder {
    /// Of a node without interfaces yet. With `is_current`, what is known of pods is true now.
    #[must_use]
    pub fn new(node: &str, former: Vec<Former>, is_current: bool) -> Self {
        Self {
            node: node.to_owned(),
            former: former.into_iter().map(|it| (it.subject, it)).collect(),
            is_current,
            ..Self::default()
        }
    }

    /// Whether what is known of pods is true, from now on.
    pub const fn set_current(&mut self, is_current: bool) {
        self.is_current = is_current;
    }

    /// Whether it is.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.is_current
    }

    /// An interface is there; since then, or since some time before `now`.
    pub fn appeared(
        &mut self,
        ifindex: u32,
        name: &str,
        appeared_at: Option<SystemTime>,
        now: SystemTime,
    ) {
        let interface = Interface {
            ifindex,
            name: name.to_owned(),
            subject: None,
            addresses: Vec::new(),
            life: Life {
                appeared_at,
                gone_at: None,
            },
            seen_at: now,
            state: State::Unknown(NO_ADDRESS),
            is_hearsay: false,
        };
        let id = self.add(interface);
        self.there.insert(ifindex, id);
    }

    fn add(&mut self, interface: Interface) -> u64 {
        self.next += 1;
        self.interfaces.insert(self.next, interface);
        self.next
    }

    /// It is called otherwise by now.
    pub fn renamed(&mut self, ifindex: u32, name: &str) {
        let id = self.there.get(&ifindex);
        if let Some(interface) = id.and_then(|id| self.interfaces.get_mut(id)) {
            name.clone_into(&mut interface.name);
        }
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
        // Epochs begin anew once nothing is pinned any more.
        let Some(former) = former.filter(|former| former.name == interface.name) else {
            return;
        };
        interface.life.appeared_at = interface.life.appeared_at.or(former.appeared_at);
        if let Some(pod) = former.pod.filter(|pod| !self.pods.contains_key(pod)) {
            interface.state = State::Bound(pod.clone());
            interface.is_hearsay = true;
            self.pods.insert(pod, id);
        }
    }

    /// It went while no agent ran. What one before knew of it.
    pub fn departed(&mut self, subject: Subject, now: SystemTime) -> Option<Former> {
        let former = self.former.remove(&subject);
        let known = former.clone();
        let pod = known.as_ref().and_then(|it| it.pod.clone());
        let pod = pod.filter(|pod| !self.pods.contains_key(pod));
        let interface = Interface {
            ifindex: subject.ifindex,
            name: known.as_ref().map(|it| it.name.clone()).unwrap_or_default(),
            subject: Some(subject),
            addresses: known
                .as_ref()
                .map(|it| it.addresses.clone())
                .unwrap_or_default(),
            life: Life {
                appeared_at: known.and_then(|it| it.appeared_at),
                gone_at: Some(now),
            },
            seen_at: now,
            state: pod.clone().map_or(State::Unknown(UNSEEN), State::Bound),
            is_hearsay: pod.is_some(),
        };
        let id = self.add(interface);
        self.by_subject.insert(subject, id);
        if let Some(pod) = pod {
            self.pods.insert(pod, id);
        }
        former
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

    /// Binds what can be bound by now, and forgets what went long ago. Those whose pod is another than before, or
    /// none any more. `is_news` says whether anything was told, of pods or of interfaces, since this was called
    /// last.
    pub fn bind(&mut self, pods: &Pods, is_news: bool, now: SystemTime) -> Vec<Subject> {
        self.forget(now);
        if is_news {
            self.restless_until = Some(now + 2 * SETTLE);
        }
        let is_restless = self.restless_until.is_some_and(|until| now <= until);
        let mut changed = match is_news {
            true => self.check_hearsay(pods),
            false => Vec::new(),
        };
        if self.is_current && is_restless {
            changed.extend(self.match_pods(pods, now));
        }
        let mut changed: Vec<_> = changed
            .into_iter()
            .filter_map(|id| self.interfaces.get(&id)?.subject)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        changed
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

    /// Why its pod is not known, if it is not.
    #[must_use]
    pub fn why_unknown(&self, subject: Subject, pods: &Pods) -> Option<&'static str> {
        match self.interface(subject).map(|it| &it.state) {
            Some(State::Bound(pod)) => pods.by_uid(pod).is_none().then_some(FORGOTTEN),
            Some(State::Unknown(why)) if *why == UNSEEN => Some(UNSEEN),
            Some(State::Unknown(_)) if !self.is_current => Some(OUTDATED),
            Some(State::Unknown(why)) => Some(why),
            None => Some(UNSEEN),
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

    /// Why no interface is known to be the pod's.
    #[must_use]
    pub fn why_not_attached(&self, pod: &v1::Pod) -> String {
        let Some(first) = pod.addresses.first() else {
            return "it has no address yet".to_owned();
        };
        if !self.is_current {
            return OUTDATED.to_owned();
        }
        let mut there: Vec<_> = self.there.values().collect();
        there.sort_unstable();
        let there = there.into_iter().filter_map(|id| self.interfaces.get(id));
        let own: Vec<_> = pod
            .addresses
            .iter()
            .filter_map(|it| address_of(it))
            .collect();
        let with_address = there
            .clone()
            .find(|it| it.addresses.iter().any(|address| own.contains(address)));
        match with_address.map(|it| &it.state) {
            Some(State::Bound(_)) => {
                "the interface that has its address is known to be another pod's".to_owned()
            }
            Some(State::Unknown(why)) => format!("an interface has its address: {why}"),
            None => format!(
                "none of {} interfaces is known to have {first}, and of {} of them no address is known; \
                 an interface that is no veth is selected by --interfaces alone",
                there.clone().count(),
                there.filter(|it| it.addresses.is_empty()).count(),
            ),
        }
    }

    /// What the next agent should know.
    #[must_use]
    pub fn known(&self) -> Vec<Former> {
        let there = self.there.values().filter_map(|id| self.interfaces.get(id));
        let known = there.filter_map(|interface| {
            Some(Former {
                subject: interface.subject?,
                name: interface.name.clone(),
                addresses: interface.addresses.clone(),
                pod: match &interface.state {
                    State::Bound(pod) => Some(pod.clone()),
                    State::Unknown(_) => None,
                },
                appeared_at: interface.life.appeared_at,
            })
        });
        let mut known: Vec<_> = known.collect();
        known.sort_unstable_by_key(|it| it.subject);
        known
    }
}

#[cfg(test)]
mod tests;
