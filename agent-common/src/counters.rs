//! What a slot counts one by one: nothing in a packet goes uncounted, it is counted or it is named.

/// Exact counters of a slot, by index into [`Slot::counters`](crate::Slot::counters).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counter {
    /// Answers to the pod that were taken for one.
    Answered = 0,
    /// Refusals to the pod that were taken for one: TCP resets, SCTP aborts, ICMP unreachables.
    Refused = 1,
    /// Records that the ring buffer or the slot's cap had no room for.
    RecordsDropped = 2,
    /// Payload samples that their ring buffer had no room for.
    SamplesDropped = 3,
    /// Ports new to a window: what the kernel itself counted as first seen.
    NewPorts = 4,
    /// Fragments but the first, which carry no ports; both directions.
    LaterFragments = 5,
    /// Frames that are neither IP nor address resolution; both directions.
    OtherFrames = 6,
    /// ICMP messages that neither ask, answer nor refuse; both directions.
    OtherIcmp = 7,
    /// TCP resets the pod sent.
    ResetsSent = 8,
    /// TCP resets to the pod.
    ResetsReceived = 9,
    /// SYN-ACKs the pod sent to endpoints that had sent to it.
    Accepted = 10,
    /// Packets with which others initiated to a port of the pod.
    Probes = 11,
    /// Refusals the pod sent: resets of probes, SCTP aborts, ICMP unreachables.
    Refusing = 12,
    /// ICMP requests to the pod.
    EchoesReceived = 13,
    /// Initiating packets with a source that is none of the pod's addresses.
    Spoofed = 14,
    /// Initiating packets that were dropped because the pod is contained.
    Contained = 15,
    /// UDP datagrams the pod sent to endpoints that had sent to it.
    Replies = 16,
    /// Address resolution that asks nobody: answers the pod sent, probes and announcements.
    OtherNeighbour = 17,
}

impl Counter {
    /// How many there are.
    pub const COUNT: usize = 18;
}

/// Why a packet could not be parsed, by index into [`Slot::parse_failures`](crate::Slot::parse_failures).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParseFailure {
    /// The Ethernet header or its VLAN tags are cut, or there are more than two tags.
    Ethernet = 0,
    /// The IPv4 header is cut or contradicts itself.
    Ipv4 = 1,
    /// The IPv6 header or its extension headers are cut, or the version is another.
    Ipv6 = 2,
    /// More IPv6 extension headers than the programs follow.
    Ipv6Chain = 3,
    /// The TCP header is cut or contradicts itself.
    Tcp = 4,
    /// The UDP header is cut.
    Udp = 5,
    /// The SCTP header or its first chunk header is cut.
    Sctp = 6,
    /// The ICMP header, or the packet it quotes, is cut.
    Icmp = 7,
    /// The ARP packet is cut.
    Arp = 8,
}

impl ParseFailure {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// All of them, in the order of their values.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Ethernet,
        Self::Ipv4,
        Self::Ipv6,
        Self::Ipv6Chain,
        Self::Tcp,
        Self::Udp,
        Self::Sctp,
        Self::Icmp,
        Self::Arp,
    ];

    /// As metrics and status spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ethernet => "ethernet",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Ipv6Chain => "ipv6_chain",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
            Self::Icmp => "icmp",
            Self::Arp => "arp",
        }
    }
}
