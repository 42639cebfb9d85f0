//! What the layouts and the detectors call the same, and the detectors' words for it.

use agent_common::{Class, Counter, ParseFailure, SampleKind, Transport, VolumeClass};
use detect::{Count, Technique};

/// Operating systems send at least MSS, window scale and SACK-permitted: 12 bytes of options.
const CONNECT_WORDS: u8 = 8;

/// How the pod probes, from the class of the packet and its TCP data offset.
pub(super) const fn technique(class: Class, tcp_words: u8) -> Technique {
    match class {
        Class::Syn if tcp_words >= CONNECT_WORDS => Technique::Connect,
        Class::Syn => Technique::Syn,
        Class::Null => Technique::Null,
        Class::Fin => Technique::Fin,
        Class::Xmas => Technique::Xmas,
        Class::OddFlags => Technique::Other,
        Class::StrayAck => Technique::Ack,
        Class::StrayFin => Technique::Maimon,
        Class::StraySynAck => Technique::SynAck,
        Class::TinyFragment => Technique::TinyFragment,
        Class::Udp => Technique::Udp,
        Class::SctpInit => Technique::SctpInit,
        Class::SctpCookieEcho => Technique::SctpCookieEcho,
        Class::Echo => Technique::Ping,
        Class::Protocol => Technique::Protocol,
        Class::Neighbour => Technique::Neighbour,
    }
}

pub(super) const fn transport(transport: Transport) -> detect::Transport {
    match transport {
        Transport::Tcp => detect::Transport::Tcp,
        Transport::Udp => detect::Transport::Udp,
        Transport::Sctp => detect::Transport::Sctp,
        Transport::Icmp => detect::Transport::Icmp,
        Transport::Protocol => detect::Transport::Protocol,
        Transport::Neighbour => detect::Transport::Neighbour,
    }
}

pub(super) const fn sample(kind: SampleKind) -> detect::SampleKind {
    match kind {
        SampleKind::Dns => detect::SampleKind::Dns,
        SampleKind::FirstSent | SampleKind::FirstReceived => detect::SampleKind::FirstData,
    }
}

pub(super) const fn counter(count: Count) -> Counter {
    match count {
        Count::Answered => Counter::Answered,
        Count::Refused => Counter::Refused,
        Count::RecordsDropped => Counter::RecordsDropped,
        Count::SamplesDropped => Counter::SamplesDropped,
        Count::NewPorts => Counter::NewPorts,
        Count::LaterFragments => Counter::LaterFragments,
        Count::OtherFrames => Counter::OtherFrames,
        Count::OtherIcmp => Counter::OtherIcmp,
        Count::ResetsSent => Counter::ResetsSent,
        Count::ResetsReceived => Counter::ResetsReceived,
        Count::Accepted => Counter::Accepted,
        Count::Probes => Counter::Probes,
        Count::Refusing => Counter::Refusing,
        Count::EchoesReceived => Counter::EchoesReceived,
        Count::Spoofed => Counter::Spoofed,
        Count::Contained => Counter::Contained,
        Count::Replies => Counter::Replies,
        Count::OtherNeighbour => Counter::OtherNeighbour,
    }
}

pub(super) const fn parse_failure(failure: detect::ParseFailure) -> ParseFailure {
    match failure {
        detect::ParseFailure::Ethernet => ParseFailure::Ethernet,
        detect::ParseFailure::Ipv4 => ParseFailure::Ipv4,
        detect::ParseFailure::Ipv6 => ParseFailure::Ipv6,
        detect::ParseFailure::Ipv6Chain => ParseFailure::Ipv6Chain,
        detect::ParseFailure::Tcp => ParseFailure::Tcp,
        detect::ParseFailure::Udp => ParseFailure::Udp,
        detect::ParseFailure::Sctp => ParseFailure::Sctp,
        detect::ParseFailure::Icmp => ParseFailure::Icmp,
        detect::ParseFailure::Arp => ParseFailure::Arp,
    }
}

pub(super) const fn volume(class: detect::VolumeClass) -> VolumeClass {
    match class {
        detect::VolumeClass::Tcp => VolumeClass::Tcp,
        detect::VolumeClass::Udp => VolumeClass::Udp,
        detect::VolumeClass::Icmp => VolumeClass::Icmp,
        detect::VolumeClass::Other => VolumeClass::Other,
    }
}

pub(super) const fn class(class: detect::Class) -> Class {
    match class {
        detect::Class::Syn => Class::Syn,
        detect::Class::Null => Class::Null,
        detect::Class::Fin => Class::Fin,
        detect::Class::Xmas => Class::Xmas,
        detect::Class::OddFlags => Class::OddFlags,
        detect::Class::StrayAck => Class::StrayAck,
        detect::Class::StrayFin => Class::StrayFin,
        detect::Class::StraySynAck => Class::StraySynAck,
        detect::Class::TinyFragment => Class::TinyFragment,
        detect::Class::Udp => Class::Udp,
        detect::Class::SctpInit => Class::SctpInit,
        detect::Class::SctpCookieEcho => Class::SctpCookieEcho,
        detect::Class::Echo => Class::Echo,
        detect::Class::Protocol => Class::Protocol,
        detect::Class::Neighbour => Class::Neighbour,
    }
}

const _: () = assert!(
    Count::ALL.len() == Counter::COUNT
        && detect::ParseFailure::ALL.len() == ParseFailure::COUNT
        && detect::VolumeClass::ALL.len() == VolumeClass::COUNT
        && detect::Class::ALL.len() == Class::COUNT,
    "something that is counted is not read"
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_class_is_one_technique_but_syn() {
        for class in Class::ALL {
            let told: BTreeSet<_> = [0, 5, 7, 8, 15].map(|it| technique(class, it)).into();
            let expected = if class == Class::Syn { 2 } else { 1 };
            assert_eq!(told.len(), expected, "{class:?}: {told:?}");
            for technique in told {
                assert_eq!(super::class(technique.class()), class, "{technique:?}");
            }
        }
        assert_eq!(technique(Class::Syn, 6), Technique::Syn);
        assert_eq!(technique(Class::Syn, 10), Technique::Connect);
    }

    /// What is read from one place of the layout is told in one place, and none is left out.
    #[test]
    fn nothing_is_read_twice() {
        let places: BTreeSet<_> = Count::ALL.map(|it| counter(it) as usize).into();
        assert_eq!(places.len(), Counter::COUNT);
        let places: BTreeSet<_> = detect::ParseFailure::ALL
            .map(|it| parse_failure(it) as usize)
            .into();
        assert_eq!(places.len(), ParseFailure::COUNT);
        let places: BTreeSet<_> = detect::VolumeClass::ALL
            .map(|it| volume(it) as usize)
            .into();
        assert_eq!(places.len(), VolumeClass::COUNT);
        for failure in detect::ParseFailure::ALL {
            assert_eq!(failure.name(), parse_failure(failure).name());
        }
    }
}
