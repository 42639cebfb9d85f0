//! What is run: for each case many different packets, and what the slot must have counted of them.

use agent_common::{Class, Counter, Direction};
use anyhow::Result;

use super::flow::{Flow, Flows, Kind, POD, POD_V6};

/// Which packets come before the measurement, so that these pass as known ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Before {
    /// The packets themselves.
    Same,
    /// Packets the other way.
    Reverse,
}

/// What the slot counts of each packet, beside volume.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted {
    Nothing,
    One(Counter),
    Known(Class),
    New(Class),
    Foreign(Class),
}

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) direction: Direction,
    pub(super) before: &'static [Before],
    pub(super) counted: Counted,
    /// Nanoseconds a packet may cost over the empty program.
    pub(super) target_ns: Option<f64>,
    /// Each packet, and its like the other way.
    pub(super) packets: Vec<[Vec<u8>; 2]>,
    /// Whether a packet that passes again is counted as before.
    pub(super) repeats: bool,
}

/// The pod's addresses, IPv4 mapped.
pub(super) fn addresses() -> [[u8; 16]; 2] {
    [POD.to_ipv6_mapped().octets(), POD_V6.octets()]
}

/// All cases. The targets are those of "The kernel half, complete, exact and measured".
pub(super) fn all() -> Result<Vec<Case>> {
    use Counted::{Foreign, Known, New, Nothing, One};
    use Flows::{Alike, Flood, PortScan};
    use Kind::{Ack, Data, Syn, Udp};
    const ESTABLISHED: Option<f64> = Some(12.0);
    const KNOWN: Option<f64> = Some(25.0);
    const FIRST: Option<f64> = Some(60.0);
    const SAME: &[Before] = &[Before::Same];
    const REVERSE: &[Before] = &[Before::Reverse];
    const BOTH: &[Before] = &[Before::Reverse, Before::Same];
    let (sent, received) = (Direction::FromPod, Direction::ToPod);
    let probes = One(Counter::Probes);
    let table = [
        (
            "TCP data sent",
            sent,
            Data,
            false,
            Alike,
            REVERSE,
            Nothing,
            ESTABLISHED,
        ),
        (
            "TCP data received",
            received,
            Data,
            false,
            Alike,
            SAME,
            Nothing,
            ESTABLISHED,
        ),
        (
            "TCP ACK sent",
            sent,
            Ack,
            false,
            Alike,
            REVERSE,
            Nothing,
            ESTABLISHED,
        ),
        (
            "TCP ACK received",
            received,
            Ack,
            false,
            Alike,
            SAME,
            Nothing,
            ESTABLISHED,
        ),
        (
            "UDP reply sent",
            sent,
            Udp,
            false,
            Alike,
            REVERSE,
            One(Counter::Replies),
            ESTABLISHED,
        ),
        (
            "UDP reply received",
            received,
            Udp,
            false,
            Alike,
            BOTH,
            Nothing,
            ESTABLISHED,
        ),
        (
            "UDP request received",
            received,
            Udp,
            false,
            Alike,
            SAME,
            probes,
            ESTABLISHED,
        ),
        (
            "SYN, known port",
            sent,
            Syn,
            false,
            Alike,
            SAME,
            Known(Class::Syn),
            KNOWN,
        ),
        (
            "SYN, new port",
            sent,
            Syn,
            false,
            PortScan,
            &[],
            New(Class::Syn),
            FIRST,
        ),
        (
            "UDP, new port",
            sent,
            Udp,
            false,
            PortScan,
            &[],
            New(Class::Udp),
            FIRST,
        ),
        (
            "IPv6 data sent",
            sent,
            Data,
            true,
            Alike,
            REVERSE,
            Nothing,
            ESTABLISHED,
        ),
        (
            "IPv6 data received",
            received,
            Data,
            true,
            Alike,
            SAME,
            Nothing,
            ESTABLISHED,
        ),
        (
            "IPv6 SYN, known port",
            sent,
            Syn,
            true,
            Alike,
            SAME,
            Known(Class::Syn),
            KNOWN,
        ),
        (
            "IPv6 SYN, new port",
            sent,
            Syn,
            true,
            PortScan,
            &[],
            New(Class::Syn),
            FIRST,
        ),
        (
            "spoof flood",
            sent,
            Syn,
            false,
            Flood { ports: 1 },
            SAME,
            Foreign(Class::Syn),
            None,
        ),
        (
            "SYN flood, one port",
            received,
            Syn,
            false,
            Flood { ports: 1 },
            &[],
            probes,
            None,
        ),
        (
            "SYN flood, all ports",
            received,
            Syn,
            false,
            Flood { ports: 65_536 },
            &[],
            probes,
            None,
        ),
    ];
    let cases = table.into_iter().map(
        |(name, direction, kind, v6, flows, before, counted, target_ns)| {
            let packets = flows
                .all(direction)
                .into_iter()
                .map(|flow: Flow| Ok([flow.packet(kind, v6)?, flow.reversed().packet(kind, v6)?]));
            Ok(Case {
                name,
                direction,
                before,
                counted,
                target_ns,
                packets: packets.collect::<Result<_>>()?,
                repeats: matches!(flows, Alike),
            })
        },
    );
    cases.collect()
}
