//! Pods that are busy in different ways, each as the datapath would show it.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use detect::{
    Class, Contact, Observation, Outcome, Sample, SampleKind, Subject, Technique, Time, Transport,
    Volume, VolumeClass,
};

/// Between two observations of a pod.
pub(super) const TICK_NS: u64 = 100_000_000;
/// Observations of a pod within a second.
pub(super) const TICKS_PER_SECOND: u64 = 1_000_000_000 / TICK_NS;
const SENT: Outcome = Outcome::Sent(Technique::Syn);
const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10));

/// How a pod spends its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// It does nothing.
    Idle,
    /// Ten calls a second to ten services that answer, and a name looked up each second.
    Ordinary,
    /// 1,000 contacts a second: 70 % to endpoints it knows, 20 % to new ones, 10 % that a few dead ones
    /// refuse; and a name looked up each second.
    Busy,
    /// It fills whatever it can: ports of hosts, new each time, half of them refused, and new names.
    Hostile,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Idle, Self::Ordinary, Self::Busy, Self::Hostile];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Ordinary => "ordinary",
            Self::Busy => "busy",
            Self::Hostile => "hostile",
        }
    }
}

/// A pod at work.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) kind: Kind,
    subject: Subject,
    address: IpAddr,
    ticks: u64,
    calls: u32,
}

impl Workload {
    pub(super) fn new(kind: Kind, index: u32) -> Self {
        Self {
            kind,
            subject: Subject {
                ifindex: index + 1,
                epoch: 1,
            },
            address: Ipv4Addr::from(0x0af4_0000 + index).into(),
            ticks: 0,
            calls: 0,
        }
    }

    /// What it did until `now`, since the last tick.
    pub(super) fn observation(&mut self, now: Time) -> Observation {
        let mut observation = Observation::empty(self.subject);
        let contacts = &mut observation.contacts;
        match self.kind {
            Kind::Idle => {}
            Kind::Ordinary => {
                self.probe(contacts, 1, |n| (service(n % 10), 443), Outcome::Answered)
            }
            Kind::Busy => {
                self.probe(contacts, 35, |n| (service(n % 50), 8080), Outcome::Answered);
                self.probe(contacts, 10, |n| (endpoint(n), 443), Outcome::Answered);
                self.probe(
                    contacts,
                    5,
                    |n| (service(100 + n % 3), 9090),
                    Outcome::Refused,
                );
            }
            Kind::Hostile => {
                let port = |n: u32| (n / 1100) as u16 + 1;
                self.probe(
                    contacts,
                    50,
                    |n| (endpoint(n % 1100), port(n)),
                    Outcome::Refused,
                );
                self.probe(
                    contacts,
                    50,
                    |n| (endpoint(n % 1100), port(n)),
                    Outcome::Answered,
                );
            }
        }
        let (count, from) = (contacts.len() as u64, now.nanoseconds() - TICK_NS);
        for (index, contact) in contacts.iter_mut().enumerate() {
            contact.at = Time::from_nanoseconds(from + TICK_NS * (index as u64 + 1) / (count + 1));
        }
        let names = match self.kind {
            Kind::Idle => 0,
            Kind::Hostile => 10,
            Kind::Ordinary | Kind::Busy => u64::from(self.ticks.is_multiple_of(TICKS_PER_SECOND)),
        };
        for number in 0..names {
            let name = match self.kind {
                Kind::Hostile => format!(
                    "{:x}",
                    0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(self.ticks * 10 + number + 1)
                ),
                _ => format!("service{}", self.ticks % 50),
            };
            let exists = self.kind != Kind::Hostile;
            observation.samples.extend(self.lookup(now, &name, exists));
        }
        self.ticks += 1;
        complete(&mut observation);
        observation
    }

    /// Calls `count` destinations, each of which does the same.
    fn probe(
        &mut self,
        contacts: &mut Vec<Contact>,
        count: u32,
        destination: impl Fn(u32) -> (IpAddr, u16),
        outcome: Outcome,
    ) {
        for _ in 0..count {
            let (peer, port) = destination(self.calls);
            self.calls += 1;
            contacts.extend([SENT, outcome].map(|outcome| Contact {
                at: Time::default(),
                pod: self.address,
                peer,
                port,
                transport: Transport::Tcp,
                outcome,
                spoofed: false,
                contained: false,
            }));
        }
    }

    /// A question for a name, and the answer.
    fn lookup(&self, at: Time, name: &str, exists: bool) -> [Sample; 2] {
        [true, false].map(|sent| {
            let payload = message(name, (!sent).then_some(exists));
            Sample {
                at,
                kind: SampleKind::Dns,
                sent,
                pod: self.address,
                pod_port: 40_000,
                peer: RESOLVER,
                port: 53,
                payload_bytes: payload.len() as u32,
                payload,
            }
        })
    }
}

/// A DNS message (RFC 1035, section 4.1) that asks for the IPv4 address of `name`.example, or answers that it
/// exists or not.
fn message(name: &str, answered: Option<bool>) -> Vec<u8> {
    let flags: u16 = match answered {
        None => 0x0100,
        Some(true) => 0x8180,
        Some(false) => 0x8183,
    };
    let answers = u16::from(answered == Some(true));
    let header = [1, flags, 1, answers, 0, 0];
    let mut message: Vec<u8> = header.into_iter().flat_map(u16::to_be_bytes).collect();
    for label in [name, "example", ""] {
        message.push(label.len() as u8);
        message.extend(label.bytes());
    }
    message.extend([0, 1, 0, 1]);
    if answered == Some(true) {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 0, 0, 1]);
    }
    message
}

/// Adds what the contacts mean for the ports, packets and bytes.
fn complete(observation: &mut Observation) {
    let (mut ports, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for contact in &observation.contacts {
        match contact.outcome {
            Outcome::Sent(_) => ports.insert(contact.port),
            Outcome::Refused => refused.insert(contact.port),
            Outcome::Answered => false,
        };
    }
    let packets = observation.contacts.len() as u64;
    observation.tcp_ports = ports.into_iter().collect();
    observation.refused = refused.into_iter().collect();
    observation.initiated[Class::Syn as usize] = packets / 2;
    let volume = Volume {
        packets: packets * 5,
        bytes: packets * 2000,
    };
    observation.sent[VolumeClass::Tcp as usize] = volume;
    observation.received[VolumeClass::Tcp as usize] = volume;
}

fn service(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0a60_0100 + n).into()
}

/// Few hosts of a cluster have been reached when they begin anew.
fn endpoint(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0a80_0000 + n % (1 << 22)).into()
}
