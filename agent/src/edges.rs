//! Whom each pod was seen to talk to within the last hour: what it keeps when it is contained, and what a policy
//! is made of.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Duration,
};

use detect::{Observation, Outcome, Subject, Time, Transport};

/// Edges of one pod.
const EDGES: usize = 64;
/// How long one is remembered after its last answer.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// An endpoint that answered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Edge {
    /// Its address.
    pub address: IpAddr,
    /// Over what.
    pub transport: Transport,
    /// Its port.
    pub port: u16,
}

/// What is known of one pod.
#[derive(Debug, Default)]
struct OfPod {
    edges: BTreeMap<Edge, Time>,
    further: u64,
}

/// Of all pods, by subject.
#[derive(Debug, Default)]
pub struct Edges(HashMap<Subject, OfPod>);

impl Edges {
    /// Takes in what answered. Of more than there is room for, those that answered first stay, so that nobody
    /// who tries many makes others forgotten.
    pub fn observe(&mut self, observation: &Observation) {
        let answered = observation.contacts.iter().filter(|contact| {
            let has_ports = matches!(
                contact.transport,
                Transport::Tcp | Transport::Udp | Transport::Sctp
            );
            contact.outcome == Outcome::Answered && has_ports && !contact.spoofed
        });
        for contact in answered {
            let pod = self.0.entry(observation.subject).or_default();
            let edge = Edge {
                address: contact.peer.to_canonical(),
                transport: contact.transport,
                port: contact.port,
            };
            let at = contact.at;
            if pod.edges.len() >= EDGES && !pod.edges.contains_key(&edge) {
                let oldest = at - REMEMBERED;
                pod.edges.retain(|_, last| *last > oldest);
            }
            if pod.edges.len() >= EDGES && !pod.edges.contains_key(&edge) {
                pod.further += 1;
                continue;
            }
            pod.edges.insert(edge, at);
        }
    }

    /// The interface is gone.
    pub fn remove(&mut self, subject: Subject) {
        self.0.remove(&subject);
    }

    /// Those of a pod, and when each answered last.
    pub fn of(&self, subject: Subject, now: Time) -> impl Iterator<Item = (Edge, Time)> {
        let edges = self.0.get(&subject).into_iter().flat_map(|it| &it.edges);
        let oldest = now - REMEMBERED;
        edges
            .map(|(edge, last)| (*edge, *last))
            .filter(move |(_, last)| *last > oldest)
    }

    /// How many found no room.
    #[must_use]
    pub fn further(&self, subject: Subject) -> u64 {
        self.0.get(&subject).map_or(0, |it| it.further)
    }
}

#[cfg(test)]
mod tests {
    use detect::Contact;

    use super::*;

    const SUBJECT: Subject = Subject {
        ifindex: 3,
        epoch: 1,
    };

    fn answered(port: u16, seconds: u64) -> Contact {
        Contact {
            at: Time::default() + Duration::from_secs(seconds),
            pod: [10, 0, 0, 1].into(),
            peer: [10, 0, 0, 2].into(),
            transport: Transport::Tcp,
            port,
            outcome: Outcome::Answered,
            spoofed: false,
            contained: false,
        }
    }

    fn seen(contacts: Vec<Contact>) -> Observation {
        Observation {
            contacts,
            ..Observation::empty(SUBJECT)
        }
    }

    #[test]
    fn what_answered_is_remembered_for_an_hour_and_what_did_not_is_not() {
        let mut edges = Edges::default();
        let spoofed = Contact {
            spoofed: true,
            ..answered(2, 1)
        };
        let refused = Contact {
            outcome: Outcome::Refused,
            ..answered(3, 1)
        };
        edges.observe(&seen(vec![answered(1, 1), spoofed, refused]));
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let ports = |now| {
            edges
                .of(SUBJECT, now)
                .map(|(it, _)| it.port)
                .collect::<Vec<_>>()
        };
        assert_eq!(ports(at(3600)), [1]);
        assert!(ports(at(3602)).is_empty());
    }

    #[test]
    fn who_tries_many_makes_none_forgotten() {
        let mut edges = Edges::default();
        edges.observe(&seen(vec![answered(1, 1)]));
        edges.observe(&seen((2..1000).map(|port| answered(port, 2)).collect()));
        let now = Time::default() + Duration::from_secs(3);
        let ports: Vec<_> = edges.of(SUBJECT, now).map(|(it, _)| it.port).collect();
        assert_eq!((ports.len(), ports[0]), (EDGES, 1));
        assert_eq!(edges.further(SUBJECT), 999 - EDGES as u64);
        edges.remove(SUBJECT);
        assert_eq!(edges.of(SUBJECT, now).count(), 0);
    }
}
