//! The interfaces of the node: watched or why not, and the addresses behind them.

use std::{collections::BTreeMap, net::IpAddr};

use detect::Subject;

/// All interfaces that should be watched, by index.
#[derive(Debug, Default)]
pub(super) struct Roster(BTreeMap<u32, Interface>);

/// One of them.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Watched(Subject),
    Unwatched(String),
}

impl Roster {
    pub(super) fn watched(&mut self, subject: Subject, name: String) {
        self.insert(subject.ifindex, name, State::Watched(subject));
    }

    pub(super) fn unwatched(&mut self, ifindex: u32, name: String, reason: String) {
        self.insert(ifindex, name, State::Unwatched(reason));
    }

    fn insert(&mut self, ifindex: u32, name: String, state: State) {
        self.0.insert(
            ifindex,
            Interface {
                name,
                addresses: Vec::new(),
                state,
            },
        );
    }

    pub(super) fn rename(&mut self, ifindex: u32, name: String) {
        if let Some(interface) = self.0.get_mut(&ifindex) {
            interface.name = name;
        }
    }

    pub(super) fn set_addresses(&mut self, ifindex: u32, addresses: Vec<IpAddr>) {
        if let Some(interface) = self.0.get_mut(&ifindex) {
            interface.addresses = addresses;
        }
    }

    /// The name of the interface that is gone.
    pub(super) fn remove(&mut self, ifindex: u32) -> Option<String> {
        self.0.remove(&ifindex).map(|interface| interface.name)
    }

    pub(super) fn subject(&self, ifindex: u32) -> Option<Subject> {
        self.0.get(&ifindex).and_then(Interface::subject)
    }

    pub(super) fn subjects(&self) -> Vec<Subject> {
        self.0.values().filter_map(Interface::subject).collect()
    }

    pub(super) fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.0.values()
    }

    pub(super) fn name(&self, subject: Subject) -> &str {
        self.0
            .get(&subject.ifindex)
            .map_or("", |interface| &interface.name)
    }

    /// The address of the pod behind a subject, given what a packet claimed.
    ///
    /// A pod may write any source into its packets, another pod's too. So what the node itself knows
    /// of the interface comes first, and the claim counts only where it knows nothing.
    pub(super) fn source(&self, subject: Subject, claimed: Option<IpAddr>) -> Option<IpAddr> {
        let known = self
            .0
            .get(&subject.ifindex)
            .map_or(&[][..], |it| &it.addresses);
        claimed
            .filter(|claimed| known.contains(claimed))
            .or_else(|| known.first().copied())
            .or(claimed)
    }
}

impl Interface {
    pub(super) const fn subject(&self) -> Option<Subject> {
        match self.state {
            State::Watched(subject) => Some(subject),
            State::Unwatched(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_source_counts_only_where_the_node_knows_none() {
        let [own, other, foreign] = [1, 2, 9].map(|last| IpAddr::from([10, 0, 0, last]));
        let subject = Subject {
            ifindex: 3,
            epoch: 1,
        };
        let cases = [
            (vec![own, other], Some(other), Some(other)),
            (vec![own, other], Some(foreign), Some(own)),
            (vec![own], None, Some(own)),
            (vec![], Some(foreign), Some(foreign)),
            (vec![], None, None),
        ];
        for (known, claimed, expected) in cases {
            let mut roster = Roster::default();
            roster.watched(subject, "veth0".to_owned());
            roster.set_addresses(3, known.clone());
            assert_eq!(
                roster.source(subject, claimed),
                expected,
                "{known:?}, {claimed:?}"
            );
        }
    }
}
