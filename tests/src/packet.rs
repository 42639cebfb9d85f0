//! Packets byte by byte, whole or broken, between one pod and one peer.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The pod's address.
pub const POD: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The other side's address.
pub const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// The pod's IPv6 address.
pub const POD_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
/// The other side's IPv6 address.
pub const PEER_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);

/// TCP flag.
pub const FIN: u8 = 0x01;
/// TCP flag.
pub const SYN: u8 = 0x02;
/// TCP flag.
pub const RST: u8 = 0x04;
/// TCP flag.
pub const PSH: u8 = 0x08;
/// TCP flag.
pub const ACK: u8 = 0x10;
/// TCP flag.
pub const URG: u8 = 0x20;

/// IP protocol number.
pub const ICMP: u8 = 1;
/// IP protocol number.
pub const TCP: u8 = 6;
/// IP protocol number.
pub const UDP: u8 = 17;
/// IP protocol number.
pub const ICMPV6: u8 = 58;
/// IP protocol number.
pub const SCTP: u8 = 132;

const ETHERNET_BYTES: usize = 14;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;

/// A TCP segment as the pod sends it; [`to_pod`] swaps its ports.
#[derive(Clone, Copy, Debug)]
pub struct Tcp {
    /// The peer's port.
    pub port: u16,
    /// The pod's port.
    pub pod_port: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Flags.
    pub flags: u8,
    /// Data offset in 32-bit words.
    pub words: u8,
}

impl Default for Tcp {
    fn default() -> Self {
        Self {
            port: 0,
            pod_port: 40_000,
            sequence: 0,
            flags: 0,
            words: 5,
        }
    }
}

impl Tcp {
    /// The segment from the pod, its options filled with no-operations.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.segment(self.pod_port, self.port)
    }

    fn segment(&self, source: u16, destination: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(source.to_be_bytes());
        bytes.extend(destination.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend([self.words << 4, self.flags, 4, 0, 0, 0, 0, 0]);
        bytes.resize(usize::from(self.words) * 4, 1);
        bytes
    }
}

/// A UDP datagram between these ports.
#[must_use]
pub fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let mut bytes = [from, to, length, 0].map(u16::to_be_bytes).concat();
    bytes.extend(payload);
    bytes
}

/// An SCTP packet between these ports, up to the header of its first chunk.
#[must_use]
pub fn sctp(from: u16, to: u16, chunk: u8) -> Vec<u8> {
    let mut bytes = [from, to].map(u16::to_be_bytes).concat();
    bytes.extend([0; 8]);
    bytes.extend([chunk, 0, 0, 4]);
    bytes
}

/// An ARP frame for IPv4 over Ethernet.
#[must_use]
pub fn arp(operation: u8, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, operation];
    bytes.extend([2, 0, 0, 0, 0, 2]);
    bytes.extend(sender.octets());
    bytes.extend([0; 6]);
    bytes.extend(target.octets());
    ethernet(ARP, &bytes)
}

/// A neighbour solicitation (135) or advertisement (136), without options.
#[must_use]
pub fn neighbour(kind: u8, source: Ipv6Addr, destination: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(target.octets());
    ipv6(ICMPV6, source, destination, &bytes)
}

/// A frame of the pod over IPv4.
#[must_use]
pub fn sent(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4(protocol, 0, &[], POD, PEER, payload)
}

/// A frame to the pod over IPv4.
#[must_use]
pub fn received(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4(protocol, 0, &[], PEER, POD, payload)
}

/// A frame of the pod.
#[must_use]
pub fn from_pod(tcp: &Tcp) -> Vec<u8> {
    ipv4(TCP, 0, &[], POD, PEER, &tcp.bytes())
}

/// A frame to the pod.
#[must_use]
pub fn to_pod(tcp: &Tcp) -> Vec<u8> {
    ipv4(TCP, 0, &[], PEER, POD, &tcp.segment(tcp.port, tcp.pod_port))
}

/// A frame of the pod over IPv6.
#[must_use]
pub fn from_pod_v6(next: u8, payload: &[u8]) -> Vec<u8> {
    ipv6(next, POD_V6, PEER_V6, payload)
}

/// A fragment of the pod, with the fragment field as given.
#[must_use]
pub fn fragment(field: u16, payload: &[u8]) -> Vec<u8> {
    ipv4(TCP, field, &[], POD, PEER, payload)
}

/// An ICMP error to the pod.
#[must_use]
pub fn icmp(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    ipv4(
        1,
        0,
        &[],
        PEER,
        POD,
        &[&[kind, code, 0, 0, 0, 0, 0, 0], quoted].concat(),
    )
}

/// An ICMPv6 message to the pod.
#[must_use]
pub fn icmpv6(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    ipv6(
        58,
        PEER_V6,
        POD_V6,
        &[&[kind, code, 0, 0, 0, 0, 0, 0], quoted].concat(),
    )
}

/// An IPv4 packet in an Ethernet frame; `options` are a multiple of four bytes.
#[must_use]
pub fn ipv4(
    protocol: u8,
    fragment: u16,
    options: &[u8],
    source: Ipv4Addr,
    destination: Ipv4Addr,
    payload: &[u8],
) -> Vec<u8> {
    let header = 20 + options.len();
    let mut bytes = vec![0x40 | (header / 4) as u8, 0];
    bytes.extend(((header + payload.len()) as u16).to_be_bytes());
    bytes.extend([0, 7]);
    bytes.extend(fragment.to_be_bytes());
    bytes.extend([64, protocol, 0, 0]);
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    bytes.extend(options);
    bytes.extend(payload);
    ethernet(IPV4, &bytes)
}

/// An IPv6 packet in an Ethernet frame.
#[must_use]
pub fn ipv6(next: u8, source: Ipv6Addr, destination: Ipv6Addr, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((payload.len() as u16).to_be_bytes());
    bytes.extend([next, 64]);
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    bytes.extend(payload);
    ethernet(IPV6, &bytes)
}

/// The frame with tags of these types put in, outermost first.
#[must_use]
pub fn vlan(types: &[u16], frame: &[u8]) -> Vec<u8> {
    let tags = types
        .iter()
        .flat_map(|it| [it.to_be_bytes(), [0, 5]].concat());
    [&frame[..12], &tags.collect::<Vec<_>>(), &frame[12..]].concat()
}

/// An Ethernet frame.
#[must_use]
pub fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let addresses = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    [&addresses, &ether_type.to_be_bytes()[..], payload].concat()
}

/// An IPv4 packet for a raw socket, with the checksum without which its receiver drops the segment; the
/// kernel fills in that of the IP header.
#[must_use]
pub fn raw(source: Ipv4Addr, destination: Ipv4Addr, from: u16, to: u16, tcp: &Tcp) -> Vec<u8> {
    let mut segment = tcp.segment(from, to);
    let pseudo = [
        &source.octets()[..],
        &destination.octets(),
        &[0, TCP],
        &(segment.len() as u16).to_be_bytes(),
        &segment,
    ];
    let sum = pseudo.concat().chunks(2).fold(0_u32, |sum, pair| {
        sum + u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]))
    });
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    segment[16..18].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    ipv4(TCP, 0, &[], source, destination, &segment)[ETHERNET_BYTES..].to_vec()
}
