//! What IP or Ethernet carries, and what answers it.

use fastrand::Rng;

use super::{
    pool::{self, Address, one_of},
    route::Route,
};
use crate::packet::{ACK, FIN, PSH, RST, SYN, URG};

/// What a frame carries.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes, without the network's headers.
    pub(super) bytes: Vec<u8>,
    ports: [u16; 2],
}

/// By what number it goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// An IP protocol.
    Protocol(u8),
    /// Another Ethernet type.
    Frame(u16),
}

const ICMP_V4: u8 = 1;
const ICMP_V6: u8 = 58;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
const ARP: u16 = 0x0806;

impl Carried {
    /// Anything; an ICMP error quotes `quoted`.
    pub(super) fn random(rng: &mut Rng, route: &Route, quoted: &[u8]) -> Self {
        let ports = [pool::port(rng), pool::port(rng)];
        match rng.u8(..40) {
            0..16 => {
                let flags = flags(rng);
                tcp(rng, ports, flags)
            }
            16..22 => udp(rng, ports),
            22..26 => {
                let chunk = one_of(rng, &[0, 1, 1, 2, 3, 6, 10, 11, 200]);
                sctp(rng, ports, chunk)
            }
            26..32 => icmp(rng, route, quoted),
            32..34 => neighbour(rng, route),
            34..37 => {
                let any = rng.u8(..);
                let number = one_of(rng, &[0, 1, 2, 41, 47, 50, 58, 59, 89, 255, any]);
                let bytes = payload(rng);
                carried(Kind::Protocol(number), bytes, ports)
            }
            37 => {
                let any = rng.u16(..);
                let kind = one_of(rng, &[0x88b5, 0x8847, 0, 0x05dc, 0x0600, any]);
                let bytes = payload(rng);
                carried(Kind::Frame(kind), bytes, ports)
            }
            _ => arp(rng, route),
        }
    }

    /// What may come back for it along `route`; `sent` is the whole of it, to be quoted.
    pub(super) fn answer(&self, rng: &mut Rng, route: &Route, sent: &[u8]) -> Self {
        let ports = [self.ports[1], self.ports[0]];
        match (rng.u8(..4), self.kind) {
            (0, Kind::Protocol(_)) => error(rng, route, sent),
            (_, Kind::Protocol(TCP)) => {
                let answers = [SYN | ACK, RST | ACK, RST, ACK, FIN | ACK, PSH | ACK];
                let flags = one_of(rng, &answers);
                tcp(rng, ports, flags)
            }
            (_, Kind::Protocol(UDP)) => udp(rng, ports),
            (_, Kind::Protocol(SCTP)) => {
                let chunk = one_of(rng, &[2, 6, 10, 11, 3]);
                sctp(rng, ports, chunk)
            }
            (_, Kind::Protocol(ICMP_V4 | ICMP_V6)) => {
                let mut bytes = self.bytes.clone();
                if let Some(kind) = bytes.first_mut() {
                    *kind = match *kind {
                        8 => 0,
                        13 => 14,
                        17 => 18,
                        128 => 129,
                        135 => 136,
                        kind => kind,
                    };
                }
                carried(self.kind, bytes, ports)
            }
            (_, Kind::Protocol(_)) => carried(self.kind, payload(rng), ports),
            (_, Kind::Frame(ARP)) => arp_from(route, 2),
            (_, Kind::Frame(_)) => Self::random(rng, route, sent),
        }
    }
}

const fn carried(kind: Kind, bytes: Vec<u8>, ports: [u16; 2]) -> Carried {
    Carried { kind, bytes, ports }
}

fn payload(rng: &mut Rng) -> Vec<u8> {
    let length = match rng.u8(..16) {
        0 => rng.usize(..1400),
        1..5 => rng.usize(..40),
        _ => 0,
    };
    let mut payload = vec![0; length];
    rng.fill(&mut payload);
    payload
}

fn flags(rng: &mut Rng) -> u8 {
    let usual = [
        SYN,
        SYN | 0xc0,
        SYN | ACK,
        ACK,
        FIN | ACK,
        PSH | ACK,
        FIN,
        0,
        FIN | PSH | URG,
        RST,
        RST | ACK,
        SYN | FIN,
    ];
    match rng.u8(..8) {
        0 => rng.u8(..),
        1..4 => SYN,
        _ => one_of(rng, &usual),
    }
}

fn tcp(rng: &mut Rng, ports: [u16; 2], flags: u8) -> Carried {
    let mut bytes = ports.map(u16::to_be_bytes).concat();
    bytes.extend(if rng.bool() { 0 } else { rng.u32(..) }.to_be_bytes());
    bytes.extend(rng.u32(..).to_be_bytes());
    let words = match rng.u8(..12) {
        0 => rng.u8(..16),
        1..6 => 5,
        _ => rng.u8(5..=15),
    };
    bytes.extend([words << 4 | rng.u8(..16), flags, 4, 0, 0, 0, 0, 0]);
    bytes.resize(bytes.len().max(usize::from(words) * 4), 1);
    bytes.extend(payload(rng));
    carried(Kind::Protocol(TCP), bytes, ports)
}

fn udp(rng: &mut Rng, ports: [u16; 2]) -> Carried {
    let payload = payload(rng);
    let mut bytes = ports.map(u16::to_be_bytes).concat();
    bytes.extend((payload.len() as u16 + 8).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    carried(Kind::Protocol(UDP), bytes, ports)
}

fn sctp(rng: &mut Rng, ports: [u16; 2], chunk: u8) -> Carried {
    let mut bytes = ports.map(u16::to_be_bytes).concat();
    bytes.extend([0; 8]);
    bytes.extend([chunk, 0, 0, 4]);
    bytes.extend(payload(rng));
    carried(Kind::Protocol(SCTP), bytes, ports)
}

const fn icmp_number(route: &Route) -> u8 {
    if route.is_v6 { ICMP_V6 } else { ICMP_V4 }
}

fn icmp(rng: &mut Rng, route: &Route, quoted: &[u8]) -> Carried {
    let any = rng.u8(..);
    let kind = if route.is_v6 {
        one_of(rng, &[128, 128, 129, 1, 1, 2, 3, 133, any])
    } else {
        one_of(rng, &[8, 8, 13, 17, 0, 14, 18, 3, 3, 3, 11, any])
    };
    let mut bytes = vec![kind, rng.u8(..6), 0, 0, 0, 0, 0, 0];
    if quoted.is_empty() {
        bytes.extend(payload(rng));
    } else {
        bytes.extend(quoted);
    }
    carried(Kind::Protocol(icmp_number(route)), bytes, [0; 2])
}

/// An unreachable, quoting all of what was sent or as much as routers do.
fn error(rng: &mut Rng, route: &Route, sent: &[u8]) -> Carried {
    let kind = if route.is_v6 { 1 } else { 3 };
    let mut bytes = vec![kind, rng.u8(..6), 0, 0, 0, 0, 0, 0];
    let length = match rng.u8(..4) {
        0 => rng.usize(..=sent.len()),
        1 if route.is_v6 => sent.len().min(48),
        1 => sent.len().min(28),
        _ => sent.len(),
    };
    bytes.extend(&sent[..length]);
    carried(Kind::Protocol(icmp_number(route)), bytes, [0; 2])
}

fn neighbour(rng: &mut Rng, route: &Route) -> Carried {
    if !route.is_v6 {
        return arp(rng, route);
    }
    let target = about(rng, route);
    let mut bytes = vec![135 + rng.u8(..2), 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(target);
    if rng.bool() {
        bytes.extend([1, 1, 2, 0, 0, 0, 0, 1]);
    }
    carried(Kind::Protocol(ICMP_V6), bytes, [0; 2])
}

fn about(rng: &mut Rng, route: &Route) -> Address {
    match rng.u8(..8) {
        0 => route.source,
        1 => pool::of_peer(rng, route.is_v6),
        _ => route.destination,
    }
}

fn arp(rng: &mut Rng, route: &Route) -> Carried {
    let mut arp = arp_from(route, if rng.u8(..3) > 0 { 1 } else { 2 });
    match rng.u8(..16) {
        0 => arp.bytes[rng.usize(..8)] = rng.u8(..8),
        1 => arp.bytes.copy_within(14..18, 24),
        2 => arp.bytes[14..18].fill(0),
        _ => {}
    }
    arp
}

fn arp_from(route: &Route, operation: u8) -> Carried {
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, operation];
    for address in [route.source, route.destination] {
        bytes.extend([2, 0, 0, 0, 0, address[15]]);
        bytes.extend(&address[12..]);
    }
    carried(Kind::Frame(ARP), bytes, [0; 2])
}
