//! A pod whose packets become observations, second by second, as the datapath would show them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use detect::{
    Contact, Count, Observation, Outcome, Sample, SampleKind, Sketch, Subject, Technique, Time,
    Transport, VolumeClass,
};

/// What a destination does with a call, and after how many milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Answers(u64),
    Refuses(u64),
    Drops,
}

/// Whom a pod calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoint {
    pub(crate) peer: IpAddr,
    pub(crate) transport: Transport,
    pub(crate) port: u16,
}

pub(crate) fn tcp(peer: impl Into<IpAddr>, port: u16) -> Endpoint {
    Endpoint {
        peer: peer.into(),
        transport: Transport::Tcp,
        port,
    }
}

pub(crate) fn udp(peer: impl Into<IpAddr>, port: u16) -> Endpoint {
    Endpoint {
        transport: Transport::Udp,
        ..tcp(peer, port)
    }
}

/// One pod, in one second of its life.
#[derive(Debug)]
pub(crate) struct Pod {
    address: IpAddr,
    subject: Subject,
    /// When the second begins.
    start_ms: u64,
    observation: Observation,
    /// By time, and in the order they were called in.
    contacts: BTreeMap<(u64, u64), Contact>,
    calls: u64,
    /// The second in which each endpoint was last reported, as the programs remember it for a tick.
    reported: BTreeSet<(IpAddr, u16, u8)>,
}

impl Pod {
    pub(crate) fn new(index: u32) -> Self {
        let subject = Subject {
            ifindex: index,
            epoch: 1,
        };
        Self {
            address: Ipv4Addr::from(0x0af4_0100 + index).into(),
            subject,
            start_ms: 0,
            observation: Observation::empty(subject),
            contacts: BTreeMap::new(),
            calls: 0,
            reported: BTreeSet::new(),
        }
    }

    /// Calls somebody `after_ms` of this second.
    pub(crate) fn call(&mut self, after_ms: u64, endpoint: Endpoint, fate: Fate) {
        let Endpoint {
            peer,
            transport,
            port,
        } = endpoint;
        let technique = match transport {
            Transport::Tcp => Technique::Connect,
            Transport::Udp => Technique::Udp,
            _ => Technique::Ping,
        };
        self.observation.initiated[technique.class() as usize] += 1;
        if !self.reported.insert((peer, port, transport as u8)) {
            return;
        }
        self.tell(after_ms, endpoint, Outcome::Sent(technique));
        match fate {
            Fate::Answers(ms) => self.tell(after_ms + ms, endpoint, Outcome::Answered),
            Fate::Refuses(ms) => self.tell(after_ms + ms, endpoint, Outcome::Refused),
            Fate::Drops => {}
        }
    }

    fn tell(&mut self, after_ms: u64, endpoint: Endpoint, outcome: Outcome) {
        let at_ms = self.start_ms + after_ms;
        let contact = Contact {
            at: Time::from_nanoseconds(at_ms * 1_000_000),
            pod: self.address,
            peer: endpoint.peer,
            port: endpoint.port,
            transport: endpoint.transport,
            outcome,
            spoofed: false,
            contained: false,
        };
        self.contacts.insert((at_ms, self.calls), contact);
        self.calls += 1;
    }

    /// So many bytes go out, and so many come in, over one transport.
    pub(crate) fn carry(&mut self, class: VolumeClass, sent_bytes: u64, received_bytes: u64) {
        const SEGMENT: u64 = 1400;
        for (volumes, bytes) in [
            (&mut self.observation.sent, sent_bytes),
            (&mut self.observation.received, received_bytes),
        ] {
            let volume = &mut volumes[class as usize];
            volume.bytes += bytes;
            volume.packets += bytes.div_ceil(SEGMENT);
        }
    }

    /// Others call it on this port, and it accepts.
    pub(crate) fn serve(&mut self, port: u16, calls: u64) {
        self.observation.probed.push(port);
        self.observation.counts[Count::Probes as usize] += calls;
        self.observation.counts[Count::Accepted as usize] += calls;
    }

    /// A datagram of DNS goes by: from the pod or to it, to port 53 of `peer` or, when it is the resolver, of
    /// its own.
    pub(crate) fn dns(
        &mut self,
        after_ms: u64,
        sent: bool,
        peer: IpAddr,
        ports: [u16; 2],
        payload: Vec<u8>,
    ) {
        let [pod_port, port] = ports;
        self.observation.samples.push(Sample {
            at: Time::from_nanoseconds((self.start_ms + after_ms) * 1_000_000),
            kind: SampleKind::Dns,
            sent,
            pod: self.address,
            pod_port,
            peer,
            port,
            payload_bytes: payload.len() as u32,
            payload,
        });
    }

    /// A name is looked up at `resolver`, and the answer comes after a millisecond.
    pub(crate) fn look_up(&mut self, after_ms: u64, resolver: IpAddr, name: &str, exists: bool) {
        self.call(after_ms, udp(resolver, 53), Fate::Answers(1));
        let ports = [40_000 + (self.calls % 20_000) as u16, 53];
        self.dns(after_ms, true, resolver, ports, message(name, None));
        self.dns(
            after_ms + 1,
            false,
            resolver,
            ports,
            message(name, Some(exists)),
        );
    }

    /// The second is over: what the datapath shows of it.
    pub(crate) fn end(&mut self) -> (Time, Observation) {
        let end_ms = self.start_ms + 1000;
        let later = self.contacts.split_off(&(end_ms + 1, 0));
        let past = std::mem::replace(&mut self.contacts, later);
        let mut observation =
            std::mem::replace(&mut self.observation, Observation::empty(self.subject));
        observation.samples.sort_by_key(|sample| sample.at);
        let (mut hosts, mut ports) = (observation.hosts, [(); 3].map(|()| BTreeSet::new()));
        let [tcp, udp, refused] = &mut ports;
        for contact in past.values() {
            let set: &mut Sketch = match contact.outcome {
                Outcome::Sent(_) => {
                    match contact.transport {
                        Transport::Tcp => tcp.insert(contact.port),
                        Transport::Udp => udp.insert(contact.port),
                        _ => false,
                    };
                    &mut hosts.contacted
                }
                Outcome::Answered => {
                    observation.counts[Count::Answered as usize] += 1;
                    &mut hosts.answered
                }
                Outcome::Refused => {
                    observation.counts[Count::Refused as usize] += 1;
                    refused.insert(contact.port);
                    &mut hosts.refused
                }
            };
            set.insert(hash(contact.peer));
        }
        observation.hosts = hosts;
        [
            observation.tcp_ports,
            observation.udp_ports,
            observation.refused,
        ] = ports.map(|ports| ports.into_iter().collect());
        observation.contacts = past.into_values().collect();
        self.reported.clear();
        self.start_ms = end_ms;
        (Time::from_nanoseconds(end_ms * 1_000_000), observation)
    }
}

fn hash(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => random(address.to_bits().into()),
        IpAddr::V6(address) => random(address.to_bits() as u64),
    }
}

/// The same for the same number, and otherwise as good as random: the finalizer of SplitMix64.
pub(crate) fn random(number: u64) -> u64 {
    let mut value = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// Asks for the IPv4 address of a name, or answers that it exists or not (RFC 1035, section 4.1).
pub(crate) fn message(name: &str, answered: Option<bool>) -> Vec<u8> {
    let flags: u16 = match answered {
        None => 0x0100,
        Some(true) => 0x8180,
        Some(false) => 0x8183,
    };
    let found = answered == Some(true);
    let header = [
        random(name.len() as u64) as u16,
        flags,
        1,
        found.into(),
        0,
        0,
    ];
    let mut message: Vec<u8> = header.into_iter().flat_map(u16::to_be_bytes).collect();
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    if found {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 96, 3, 7]);
    }
    message.truncate(192);
    message
}
