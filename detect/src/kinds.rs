//! What the datapath tells apart.

/// Declares an enum whose kinds can be listed, counted by index, and named.
macro_rules! kinds {
    (
        $(#[$meta:meta])*
        $kinds:ident { $($(#[$doc:meta])* $kind:ident = $name:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $kinds { $($(#[$doc])* $kind,)+ }

        impl $kinds {
            /// All of them, in order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$kind),+];

            /// As metrics and status spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }
        }
    };
}

kinds! {
    /// How a packet of a pod initiates. A stray packet has no flags of a connection's beginning, and goes
    /// to an endpoint that sent nothing to the pod of late.
    Class {
        /// TCP, SYN alone.
        Syn = "tcp_syn",
        /// TCP without flags.
        Null = "tcp_null",
        /// TCP, FIN alone.
        Fin = "tcp_fin",
        /// TCP, FIN, PSH and URG.
        Xmas = "tcp_xmas",
        /// TCP, any other flags without ACK and RST.
        OddFlags = "tcp_odd_flags",
        /// TCP, a stray ACK.
        StrayAck = "tcp_stray_ack",
        /// TCP, a stray FIN and ACK.
        StrayFin = "tcp_stray_fin",
        /// TCP, a stray SYN and ACK.
        StraySynAck = "tcp_stray_syn_ack",
        /// TCP or SCTP, a first fragment too small to tell more than the ports.
        TinyFragment = "tiny_fragment",
        /// UDP that answers nobody.
        Udp = "udp",
        /// SCTP, INIT.
        SctpInit = "sctp_init",
        /// SCTP, a stray COOKIE ECHO.
        SctpCookieEcho = "sctp_cookie_echo",
        /// An ICMP request: echo, timestamp or address mask.
        Echo = "echo",
        /// Another IP protocol that answers nobody.
        Protocol = "protocol",
        /// An ARP request or a neighbour solicitation.
        Neighbour = "neighbour",
    }
}

kinds! {
    /// Over what a pod initiates.
    Transport {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// SCTP.
        Sctp = "sctp",
        /// ICMP or ICMPv6.
        Icmp = "icmp",
        /// Another IP protocol.
        Protocol = "protocol",
        /// Address resolution: ARP or neighbour discovery.
        Neighbour = "neighbour",
    }
}

kinds! {
    /// What is counted packet by packet.
    Count {
        /// Answers to the pod's probes.
        Answered = "answered",
        /// Refusals of the pod's probes.
        Refused = "refused",
        /// Records that found no room.
        RecordsDropped = "records_dropped",
        /// Samples that found no room.
        SamplesDropped = "samples_dropped",
        /// Ports and IP protocols that were new to what the programs know of the pod.
        NewPorts = "new_ports",
        /// Fragments but the first, which have no ports.
        LaterFragments = "later_fragments",
        /// Frames that are neither IP nor address resolution.
        OtherFrames = "other_frames",
        /// ICMP that neither asks, answers nor refuses.
        OtherIcmp = "other_icmp",
        /// TCP resets the pod sent.
        ResetsSent = "resets_sent",
        /// TCP resets to the pod.
        ResetsReceived = "resets_received",
        /// Connections the pod accepted.
        Accepted = "accepted",
        /// Packets with which others initiated to a port of the pod.
        Probes = "probes",
        /// Refusals the pod sent.
        Refusing = "refusing",
        /// ICMP requests to the pod.
        EchoesReceived = "echoes_received",
        /// Initiating packets with a source that is none of the pod's addresses.
        Spoofed = "spoofed",
        /// Initiating packets that were dropped, because the pod is contained.
        Contained = "contained",
        /// UDP that answers somebody.
        Replies = "replies",
        /// Address resolution that asks nobody.
        OtherNeighbour = "other_neighbour",
    }
}

kinds! {
    /// Why a packet could not be parsed.
    ParseFailure {
        /// The Ethernet header or its tags.
        Ethernet = "ethernet",
        /// The IPv4 header.
        Ipv4 = "ipv4",
        /// The IPv6 header or one of its extensions.
        Ipv6 = "ipv6",
        /// More IPv6 extension headers than are followed.
        Ipv6Chain = "ipv6_chain",
        /// The TCP header.
        Tcp = "tcp",
        /// The UDP header.
        Udp = "udp",
        /// The SCTP header or its first chunk.
        Sctp = "sctp",
        /// The ICMP header or the packet it quotes.
        Icmp = "icmp",
        /// The ARP packet.
        Arp = "arp",
    }
}

kinds! {
    /// What a detector counts; its name goes behind a number.
    Measure {
        /// Distinct ports of one destination that refused or stayed silent.
        FailedPortsPerDestination = "ports failed",
        /// Distinct destination ports of the pod, whatever the outcome.
        DistinctPorts = "distinct ports",
        /// Distinct low ports of one destination that are new to the pod, whatever the outcome.
        LowPortsPerDestination = "new low ports",
        /// Distinct ports of one destination that were probed with packets no operating system sends.
        CraftedPortsPerDestination = "ports probed with crafted packets",
        /// Distinct hosts on which one port, ping or address resolution failed.
        FailedHostsPerPort = "hosts failed",
        /// Distinct hosts of which one port, ping or address resolution failed or is overdue.
        UnansweredHostsPerPort = "hosts unanswered",
        /// Distinct pairs of host and port that refused or stayed silent.
        FailedPairs = "ports of hosts failed",
        /// Distinct IP protocols tried.
        Protocols = "IP protocols",
        /// Distinct ports of the pod that refused others.
        RefusingPorts = "ports refused",
        /// Packets.
        Packets = "packets",
        /// Bytes.
        Bytes = "bytes",
        /// Distinct registered domains that do not exist.
        UnknownDomains = "domains that do not exist",
        /// Distinct long or random names of one registered domain.
        NamesOfOneDomain = "long names of one domain",
        /// Distinct names of services or hosts that do not exist.
        UnknownServices = "names that do not exist",
        /// Distinct addresses whose names were asked for.
        ReverseNames = "addresses looked up",
        /// Zones that were asked for as a whole.
        ZoneTransfers = "zone transfers",
        /// Messages that cannot be what their port is for.
        MalformedMessages = "malformed messages",
        /// Packets with flags that no operating system sends.
        OddFlags = "packets with odd flags",
        /// First fragments too small for the header they begin.
        TinyFragments = "tiny fragments",
        /// Packets whose source is none of the pod's addresses.
        ForgedSources = "packets with a forged source",
        /// Packets of an IP protocol that carries others.
        TunnelPackets = "packets of a tunnel",
        /// ICMP requests with a large payload.
        LargePings = "large ICMP requests",
        /// Connections that speak another protocol than their port is for.
        OtherProtocols = "connections with another protocol",
        /// Calls to one destination at a regular interval.
        RegularCalls = "calls at a regular interval",
        /// Destinations that neither the workload nor its replicas ever talked to.
        NewPeers = "peers never talked to",
        /// Pods that each have an anomaly of their own towards the same target.
        Sources = "sources",
        /// Pods of one workload, or that fail towards one dependency, that each have an anomaly of their own.
        Pods = "pods",
    }
}

kinds! {
    /// What volume is told apart by.
    VolumeClass {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// ICMP and ICMPv6.
        Icmp = "icmp",
        /// Anything else.
        Other = "other",
    }
}

kinds! {
    /// A flow of traffic of which it is learned how strong it usually is. Files name it.
    Flow {
        /// SYNs the pod sent that nothing came of.
        SynSent = "syn_sent",
        /// SYNs to the pod that nothing came of.
        SynReceived = "syn_received",
        /// Datagrams the pod sent that nobody wants.
        UdpSent = "udp_sent",
        /// Datagrams to the pod that it did not answer.
        UdpReceived = "udp_received",
        /// ICMP requests the pod sent.
        EchoSent = "echo_sent",
        /// ICMP requests to the pod.
        EchoReceived = "echo_received",
        /// Stray ACKs the pod sent.
        AckSent = "ack_sent",
        /// Stray segments to the pod.
        AckReceived = "ack_received",
        /// Bytes the pod sent.
        BytesSent = "bytes_sent",
        /// Bytes to the pod.
        BytesReceived = "bytes_received",
    }
}

/// How a port or host is probed, told from the packet.
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
    /// A stray ACK. A window scan sends the same and only reads the answer otherwise: on the wire they
    /// are one.
    Ack,
    /// A stray FIN and ACK.
    Maimon,
    /// A stray SYN and ACK.
    SynAck,
    /// A fragment too small for the flags.
    TinyFragment,
    /// UDP.
    Udp,
    /// SCTP, INIT.
    SctpInit,
    /// SCTP, a stray COOKIE ECHO.
    SctpCookieEcho,
    /// An ICMP request.
    Ping,
    /// Another IP protocol.
    Protocol,
    /// Address resolution.
    Neighbour,
}

impl Technique {
    /// All of them, in order.
    pub const ALL: [Self; 16] = [
        Self::Connect,
        Self::Syn,
        Self::Null,
        Self::Fin,
        Self::Xmas,
        Self::Other,
        Self::Ack,
        Self::Maimon,
        Self::SynAck,
        Self::TinyFragment,
        Self::Udp,
        Self::SctpInit,
        Self::SctpCookieEcho,
        Self::Ping,
        Self::Protocol,
        Self::Neighbour,
    ];

    /// Whether no operating system sends such packets: they are made by hand, by scanners.
    ///
    /// A stray segment with ACK may be of a connection older than anything that is remembered of it.
    #[must_use]
    pub const fn is_crafted(self) -> bool {
        matches!(
            self,
            Self::Syn | Self::Null | Self::Fin | Self::Xmas | Self::Other | Self::TinyFragment
        )
    }

    /// The class of packets it sends.
    ///
    /// ```
    /// use detect::{Class, Technique};
    /// assert_eq!(Technique::Connect.class(), Class::Syn);
    /// assert_eq!(Technique::Maimon.class(), Class::StrayFin);
    /// ```
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Connect | Self::Syn => Class::Syn,
            Self::Null => Class::Null,
            Self::Fin => Class::Fin,
            Self::Xmas => Class::Xmas,
            Self::Other => Class::OddFlags,
            Self::Ack => Class::StrayAck,
            Self::Maimon => Class::StrayFin,
            Self::SynAck => Class::StraySynAck,
            Self::TinyFragment => Class::TinyFragment,
            Self::Udp => Class::Udp,
            Self::SctpInit => Class::SctpInit,
            Self::SctpCookieEcho => Class::SctpCookieEcho,
            Self::Ping => Class::Echo,
            Self::Protocol => Class::Protocol,
            Self::Neighbour => Class::Neighbour,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_in_order_and_named_once() {
        fn check<T: Copy + Ord>(all: &[T], name: impl Fn(T) -> &'static str) {
            assert!(all.is_sorted_by(|a, b| a < b));
            let mut names: Vec<_> = all.iter().map(|&it| name(it)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all.len(), "{names:?}");
        }
        check(&Class::ALL, Class::name);
        check(&Transport::ALL, Transport::name);
        check(&Count::ALL, Count::name);
        check(&ParseFailure::ALL, ParseFailure::name);
        check(&Measure::ALL, Measure::name);
        check(&VolumeClass::ALL, VolumeClass::name);
        check(&Flow::ALL, Flow::name);
        for (index, technique) in Technique::ALL.into_iter().enumerate() {
            assert_eq!(technique as usize, index);
        }
        for class in Class::ALL {
            assert!(Technique::ALL.iter().any(|it| it.class() == class));
        }
    }
}
