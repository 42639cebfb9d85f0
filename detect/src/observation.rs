//! What the datapath saw of one pod since it last looked.

use std::net::IpAddr;

use crate::Time;

/// Whose traffic it is: one watched interface, for as long as it exists.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Subject {
    /// Interface index.
    pub ifindex: u32,
    /// Tells reuses of the index apart.
    pub epoch: u32,
}

/// All that one drain of one slot yields. Every subject gets one each tick, also an empty one.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Whose traffic.
    pub subject: Subject,
    /// Destination ports the pod initiated to since the last observation, ascending; exact.
    pub ports: Vec<u16>,
    /// Destination ports that refused since the last observation, ascending; exact.
    pub refused: Vec<u16>,
    /// Initiating packets the pod sent since the last observation, retries included; exact.
    pub initiating_packets: u64,
    /// First contacts and outcomes, in time order; bounded, see `coverage`.
    pub contacts: Vec<Contact>,
    /// When a budget was spent since the last observation: the packet that spent it.
    pub tripped: Option<Time>,
    /// Estimated traffic the pod sent.
    pub sent: Volume,
    /// Estimated traffic the pod was sent.
    pub received: Volume,
    /// Records that found no room since the last observation.
    pub records_dropped: u64,
    /// Packets that could not be parsed since the last observation.
    pub parse_failures: u64,
    /// Volume was estimated from one packet in this many.
    pub sample_rate: u32,
}

impl Observation {
    /// An observation of nothing.
    #[must_use]
    pub const fn empty(subject: Subject) -> Self {
        let nothing = Volume {
            packets: 0,
            bytes: 0,
        };
        Self {
            subject,
            ports: Vec::new(),
            refused: Vec::new(),
            initiating_packets: 0,
            contacts: Vec::new(),
            tripped: None,
            sent: nothing,
            received: nothing,
            records_dropped: 0,
            parse_failures: 0,
            sample_rate: 1,
        }
    }
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
    /// The destination port of the probe.
    pub port: u16,
    /// What happened.
    pub outcome: Outcome,
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

/// How a TCP port is probed, told from the flags and options of the packet.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Technique {
    /// A SYN as operating systems send it, with their options.
    Connect,
    /// A bare SYN, as raw-socket scanners send it.
    Syn,
    /// No flags at all.
    Null,
    /// FIN alone.
    Fin,
    /// FIN, PSH and URG.
    Xmas,
    /// Another flag set without ACK.
    Other,
}

/// Estimated traffic.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Volume {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}
