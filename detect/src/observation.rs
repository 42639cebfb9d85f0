//! What the datapath saw of one pod since it last looked.

use std::net::IpAddr;

use crate::{Class, Count, ParseFailure, Sketch, Technique, Time, Transport, VolumeClass};

/// Whose traffic it is: one watched interface, for as long as it exists.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Subject {
    /// Interface index.
    pub ifindex: u32,
    /// Tells reuses of the index apart.
    pub epoch: u32,
}

/// All that one drain of one slot yields, since the one before. Every subject gets one each tick, also an
/// empty one.
///
/// Ports, protocols, packets and counts are exact; hosts and volume are estimates; contacts and samples are
/// bounded, and what found no room is counted.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Whose traffic.
    pub subject: Subject,
    /// Destination ports the pod initiated to over TCP, ascending.
    pub tcp_ports: Vec<u16>,
    /// Destination ports it initiated to over UDP or SCTP, ascending.
    pub udp_ports: Vec<u16>,
    /// Numbers of other IP protocols it initiated by, ascending.
    pub protocols: Vec<u8>,
    /// Destination ports that refused, over any transport, ascending.
    pub refused: Vec<u16>,
    /// Ports of the pod that others initiated to, over any transport, ascending.
    pub probed: Vec<u16>,
    /// Ports of the pod that refused, over any transport, ascending.
    pub refusing: Vec<u16>,
    /// Hosts on the other side.
    pub hosts: Hosts,
    /// Initiating packets, retries included, by [`Class`].
    pub initiated: [u64; Class::ALL.len()],
    /// Packets counted one by one, by [`Count`].
    pub counts: [u64; Count::ALL.len()],
    /// Packets that could not be parsed, by [`ParseFailure`].
    pub unparsed: [u64; ParseFailure::ALL.len()],
    /// First contacts and outcomes, in time order.
    pub contacts: Vec<Contact>,
    /// Payloads, in time order.
    pub samples: Vec<Sample>,
    /// When a budget was spent: the packet that spent it.
    pub tripped: Option<Time>,
    /// Estimated traffic the pod sent, by [`VolumeClass`].
    pub sent: [Volume; VolumeClass::ALL.len()],
    /// Estimated traffic to the pod, by [`VolumeClass`].
    pub received: [Volume; VolumeClass::ALL.len()],
    /// Volume was estimated from one packet in this many.
    pub sample_rate: u32,
    /// How full the fuller of the filters was that tell replies from probes, in percent, when it was
    /// last retired. The fuller, the more probes pass for replies.
    pub reply_filter_percent: u32,
}

impl Observation {
    /// An observation of nothing.
    #[must_use]
    pub fn empty(subject: Subject) -> Self {
        Self {
            subject,
            tcp_ports: Vec::new(),
            udp_ports: Vec::new(),
            protocols: Vec::new(),
            refused: Vec::new(),
            probed: Vec::new(),
            refusing: Vec::new(),
            hosts: Hosts::default(),
            initiated: [0; Class::ALL.len()],
            counts: [0; Count::ALL.len()],
            unparsed: [0; ParseFailure::ALL.len()],
            contacts: Vec::new(),
            samples: Vec::new(),
            tripped: None,
            sent: Default::default(),
            received: Default::default(),
            sample_rate: 1,
            reply_filter_percent: 0,
        }
    }

    /// Packets of one kind.
    #[must_use]
    pub const fn count(&self, count: Count) -> u64 {
        self.counts[count as usize]
    }

    /// Initiating packets of all classes.
    #[must_use]
    pub fn initiating_packets(&self) -> u64 {
        self.initiated.iter().sum()
    }

    /// Packets that could not be parsed, for whatever reason.
    #[must_use]
    pub fn parse_failures(&self) -> u64 {
        self.unparsed.iter().sum()
    }
}

/// Hosts on the other side of a pod's traffic.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Hosts {
    /// The pod initiated to them.
    pub contacted: Sketch,
    /// They answered.
    pub answered: Sketch,
    /// They refused.
    pub refused: Sketch,
    /// They initiated to a port of the pod.
    pub probing: Sketch,
}

/// One side of a probe: that it was sent, or how it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Contact {
    /// When the packet passed.
    pub at: Time,
    /// The pod's address in the packet.
    pub pod: IpAddr,
    /// The destination of the probe.
    pub peer: IpAddr,
    /// Over what it was sent.
    pub transport: Transport,
    /// The destination port of the probe; the number of another IP protocol; 0 where there is neither.
    pub port: u16,
    /// What happened.
    pub outcome: Outcome,
    /// The pod's address in the packet is none of its own.
    pub spoofed: bool,
    /// The probe was dropped, because the pod is contained.
    pub contained: bool,
}

/// What a [`Contact`] tells of its probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was sent.
    Sent(Technique),
    /// The destination answered.
    Answered,
    /// The destination refused.
    Refused,
}

/// The beginning of a payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sample {
    /// When the packet passed.
    pub at: Time,
    /// Why it was sampled.
    pub kind: SampleKind,
    /// Whether the pod sent it.
    pub sent: bool,
    /// The pod's address in the packet.
    pub pod: IpAddr,
    /// The pod's port.
    pub pod_port: u16,
    /// The other side's address.
    pub peer: IpAddr,
    /// The other side's port.
    pub port: u16,
    /// The payload's first bytes, at most 192.
    pub payload: Vec<u8>,
    /// How many bytes the payload had.
    pub payload_bytes: u32,
}

/// Why a payload was sampled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SampleKind {
    /// A datagram from or to UDP port 53.
    Dns,
    /// The first data on a connection that the pod opened, in either direction.
    FirstData,
}

/// Estimated traffic.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Volume {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}
