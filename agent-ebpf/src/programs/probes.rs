//! What a packet is to be reported and counted as, always seen from the pod.

use agent_common::{Class, Direction, SampleKind, Transport, VolumeClass};
use agent_ebpf::packet::{Frame, Ip, Neighbour, PortPair, Tcp};

use crate::{contacts::Probe, samples::Payload};

pub(super) const NO_PORTS: PortPair = PortPair {
    source: 0,
    destination: 0,
};
/// Outcomes have none.
pub(super) const NO_CLASS: Class = Class::Syn;

#[inline(always)]
pub(super) const fn blank(transport: Transport, class: Class) -> Probe {
    Probe {
        pod: [0; 4],
        peer: [0; 4],
        port: 0,
        pod_port: 0,
        transport,
        class: class as u8,
        tcp_flags: 0,
        tcp_words: 0,
        spoofed: false,
        contained: false,
    }
}

/// A packet of the pod. Its addresses were there when it was parsed.
#[inline(always)]
pub(super) fn contact(
    frame: &Frame,
    ip: &Ip,
    transport: Transport,
    class: Class,
    ports: PortPair,
) -> Probe {
    Probe {
        pod: ip.source(frame).unwrap_or_default(),
        peer: ip.destination(frame).unwrap_or_default(),
        port: ports.destination,
        pod_port: ports.source,
        ..blank(transport, class)
    }
}

/// A packet to the pod.
#[inline(always)]
pub(super) fn outcome(frame: &Frame, ip: &Ip, transport: Transport, ports: PortPair) -> Probe {
    Probe {
        pod: ip.destination(frame).unwrap_or_default(),
        peer: ip.source(frame).unwrap_or_default(),
        port: ports.source,
        pod_port: ports.destination,
        ..blank(transport, NO_CLASS)
    }
}

/// A TCP segment to the pod.
#[inline(always)]
pub(super) fn tcp_outcome(frame: &Frame, tcp: &Tcp) -> Probe {
    Probe {
        tcp_flags: tcp.flags,
        tcp_words: tcp.words,
        ..outcome(frame, &tcp.ip, Transport::Tcp, tcp.ports)
    }
}

/// The payload of a packet, from `offset` of its frame on.
#[inline(always)]
pub(super) fn payload(
    frame: &Frame,
    ip: &Ip,
    (kind, direction): (SampleKind, Direction),
    ports: PortPair,
    offset: usize,
) -> Payload {
    let seen = match direction {
        Direction::FromPod => contact(frame, ip, Transport::Udp, NO_CLASS, ports),
        Direction::ToPod => outcome(frame, ip, Transport::Udp, ports),
    };
    Payload {
        kind,
        direction,
        pod: seen.pod,
        peer: seen.peer,
        pod_port: seen.pod_port,
        port: seen.port,
        offset: offset as u32,
        end: ip.end() as u32,
    }
}

/// Of a first fragment that holds no more than ports.
#[inline(always)]
pub(super) const fn volume_of(transport: Transport) -> VolumeClass {
    match transport {
        Transport::Tcp => VolumeClass::Tcp,
        _ => VolumeClass::Other,
    }
}

#[inline(always)]
pub(super) const fn volume_of_neighbour(neighbour: &Neighbour) -> VolumeClass {
    if neighbour.icmp {
        VolumeClass::Icmp
    } else {
        VolumeClass::Other
    }
}
