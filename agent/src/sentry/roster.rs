//! The interfaces of the node: watched or why not, and the addresses behind them.

use std::{collections::BTreeMap, net::IpAddr};

use detect::Subject;

use crate::whose::Whose;

/// All interfaces that should be watched, by index, and one that went while no agent ran.
#[derive(Debug, Default)]
pub(super) struct Roster {
    there: BTreeMap<u32, Interface>,
    departed: Option<Interface>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) whose: Whose,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Watched(Subject),
    Unwatched(String),
}

impl Roster {
    pub(super) fn watched(&mut self, subject: Subject, name: String, whose: Whose) {
        self.insert(subject.ifindex, name, whose, State::Watched(subject));
    }

    pub(super) fn unwatched(&mut self, ifindex: u32, name: String, whose: Whose, reason: String) {
        self.insert(ifindex, name, whose, State::Unwatched(reason));
    }

    /// Keeps what is known of its addresses: an interface may be tried again.
    fn insert(&mut self, ifindex: u32, name: String, whose: Whose, state: State) {
        let addresses = self
            .there
            .remove(&ifindex)
            .map(|it| it.addresses)
            .unwrap_or_default();
        self.there.insert(
            ifindex,
            Interface {
                name,
                whose,
                addresses,
                state,
            },
        );
    }

    /// It is asked about until it is forgotten again. Another may have its index by now.
    pub(super) fn departed(&mut self, subject: Subject, name: String, addresses: Vec<IpAddr>) {
        self.departed = Some(Interface {
            whose: Whose::Pod,
            name,
            addresses,
            state: State::Watched(subject),
        });
    }

    pub(super) fn forget_departed(&mut self) {
        self.departed = None;
    }

    /// The interface of the subject, and of no other with its index.
    fn of(&self, subject: Subject) -> Option<&Interface> {
        let there = self.there.get(&subject.ifindex).into_iter();
        there
            .chain(&self.departed)
            .find(|it| it.subject() == Some(subject))
    }

    pub(super) fn rename(&mut self, ifindex: u32, name: String) {
        if let Some(interface) = self.there.get_mut(&ifindex) {
            interface.name = name;
        }
    }

    pub(super) fn set_addresses(&mut self, ifindex: u32, addresses: Vec<IpAddr>) {
        if let Some(interface) = self.there.get_mut(&ifindex) {
            interface.addresses = addresses;
        }
    }

    pub(super) fn addresses(&self, ifindex: u32) -> &[IpAddr] {
        self.there.get(&ifindex).map_or(&[], |it| &it.addresses)
    }

    /// The name of the interface that is gone.
    pub(super) fn remove(&mut self, ifindex: u32) -> Option<String> {
        self.there.remove(&ifindex).map(|interface| interface.name)
    }

    pub(super) fn subject(&self, ifindex: u32) -> Option<Subject> {
        self.there.get(&ifindex).and_then(Interface::subject)
    }

    pub(super) fn subjects(&self) -> Vec<Subject> {
        self.there.values().filter_map(Interface::subject).collect()
    }

    /// Whether what it does is the node's own doing.
    pub(super) fn is_node(&self, subject: Subject) -> bool {
        let interface = self.there.get(&subject.ifindex);
        interface.is_some_and(|it| it.whose == Whose::Node)
    }

    /// Whether the node itself is watched somewhere.
    pub(super) fn watches_node(&self) -> bool {
        let mut interfaces = self.there.values();
        interfaces.any(|it| it.whose == Whose::Node && it.subject().is_some())
    }

    pub(super) fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.there.values()
    }

    pub(super) fn name(&self, subject: Subject) -> &str {
        self.of(subject).map_or("", |interface| &interface.name)
    }

    pub(super) fn name_of(&self, ifindex: u32) -> &str {
        self.there
            .get(&ifindex)
            .map_or("", |interface| &interface.name)
    }

    /// Why the interface is not watched, if that is so.
    pub(super) fn reason(&self, ifindex: u32) -> Option<&String> {
        match &self.there.get(&ifindex)?.state {
            State::Unwatched(reason) => Some(reason),
            State::Watched(_) => None,
        }
    }

    /// Interfaces that are not watched, and should be.
    pub(super) fn waiting(&self) -> Vec<(u32, String, Whose)> {
        let waiting = self
            .there
            .iter()
            .filter(|(_, interface)| interface.subject().is_none());
        waiting
            .map(|(&ifindex, it)| (ifindex, it.name.clone(), it.whose))
            .collect()
    }

    /// The address of the pod behind a subject, given where an answer reached it.
    ///
    /// What the node itself knows of the interface comes first.
    pub(super) fn source(&self, subject: Subject, reached: Option<IpAddr>) -> Option<IpAddr> {
        let known: &[_] = self.of(subject).map_or(&[], |it| &it.addresses);
        reached
            .filter(|reached| known.contains(reached))
            .or_else(|| known.first().copied())
            .or(reached)
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
    fn what_the_node_knows_of_an_address_comes_first() {
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
        for (known, reached, expected) in cases {
            let mut roster = Roster::default();
            roster.watched(subject, "veth0".to_owned(), Whose::Pod);
            roster.set_addresses(3, known.clone());
            assert_eq!(
                roster.source(subject, reached),
                expected,
                "{known:?}, {reached:?}"
            );
        }
    }

    #[test]
    fn one_that_went_is_not_taken_for_another_with_its_index() {
        let [own, other] = [1, 2].map(|last| IpAddr::from([10, 0, 0, last]));
        let [went, there] = [1, 2].map(|epoch| Subject { ifindex: 3, epoch });
        let mut roster = Roster::default();
        roster.watched(there, "veth1".to_owned(), Whose::Pod);
        roster.set_addresses(3, vec![other]);
        assert_eq!((roster.name(went), roster.source(went, None)), ("", None));
        roster.departed(went, "veth0".to_owned(), vec![own]);
        assert_eq!(roster.name(went), "veth0");
        assert_eq!(roster.source(went, None), Some(own));
        assert_eq!(roster.name(there), "veth1");
        assert_eq!(roster.source(there, None), Some(other));
        roster.forget_departed();
        assert_eq!(roster.name(went), "");
    }
}
