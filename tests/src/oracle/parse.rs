//! Parses a frame from its Ethernet header on.

use agent_common::ParseFailure;

use super::{
    bytes::Bytes,
    network,
    packet::{Ends, Packet},
};

/// What the programs make linear of a packet they could not parse.
const PULLED: usize = 256;

/// Parses a frame whose bytes all lie in one piece.
#[must_use]
pub fn parse(frame: &[u8]) -> Packet {
    ethernet(&Bytes {
        there: frame,
        length: frame.len(),
    })
}

/// Parses a frame of which the kernel holds only the first `linear` bytes in one piece.
#[must_use]
pub fn parse_linear(frame: &[u8], linear: usize) -> Packet {
    let part = |there: usize| Bytes {
        there: &frame[..there.min(frame.len())],
        length: frame.len(),
    };
    match ethernet(&part(linear)) {
        Packet::Failure(_) if linear < PULLED => ethernet(&part(PULLED)),
        packet => packet,
    }
}

fn ethernet(bytes: &Bytes<'_>) -> Packet {
    let failure = Packet::Failure(ParseFailure::Ethernet);
    let Some(mut kind) = bytes.half(12) else {
        return failure;
    };
    let mut at = 14;
    let mut tags = 0;
    while matches!(kind, 0x8100 | 0x88a8) {
        tags += 1;
        let (Some(next), true) = (bytes.half(at + 2), tags <= 2) else {
            return failure;
        };
        kind = next;
        at += 4;
    }
    match kind {
        0x0800 => network::ipv4(bytes, at),
        0x86dd => network::ipv6(bytes, at),
        0x0806 => arp(bytes, at).unwrap_or(Packet::Failure(ParseFailure::Arp)),
        _ => Packet::OtherFrame,
    }
}

/// RFC 826, for IPv4 over Ethernet.
fn arp(bytes: &Bytes<'_>, at: usize) -> Option<Packet> {
    let arp = bytes.part(at, 28)?;
    let ends = Ends {
        source: bytes.v4(at + 14)?,
        destination: bytes.v4(at + 24)?,
        source_port: 0,
        destination_port: 0,
    };
    Some(match arp[..8] {
        [0, 1, 8, 0, 6, 4, 0, 1] => Packet::ArpRequest(ends),
        [0, 1, 8, 0, 6, 4, 0, 2] => Packet::ArpReply(ends),
        _ => Packet::OtherFrame,
    })
}

#[cfg(test)]
mod tests {
    use agent_common::Transport;

    use super::*;
    use crate::packet::{
        PEER, POD, SYN, Tcp, ethernet, fragment, from_pod, from_pod_v6, icmp, ipv4, vlan,
    };

    fn name(packet: Packet) -> String {
        let text = format!("{packet:?}");
        match packet {
            Packet::Failure(_) => text,
            _ => text.split('(').next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn frames_are_told_apart() {
        let syn = from_pod(&Tcp {
            flags: SYN,
            ..Tcp::default()
        });
        let segment = &syn[34..];
        let hop = |next| [next, 0, 1, 4, 0, 0, 0, 0];
        let chain = |count: usize| {
            let mut chain = hop(60).repeat(count - 1);
            chain.extend(hop(6));
            from_pod_v6(60, &[&chain, segment].concat())
        };
        let quoted = &syn[14..];
        let cases = [
            (syn.clone(), "Tcp"),
            (vlan(&[0x88a8, 0x8100], &syn), "Tcp"),
            (vlan(&[0x8100; 3], &syn), "Failure(Ethernet)"),
            (vlan(&[0x8100], &syn)[..17].to_vec(), "Failure(Ethernet)"),
            (syn[..33].to_vec(), "Failure(Ipv4)"),
            (syn[..53].to_vec(), "Failure(Tcp)"),
            (fragment(0x2000, &segment[..13]), "Tiny"),
            (fragment(0x2000, &segment[..14]), "Tcp"),
            (fragment(0x2000, &segment[..3]), "Failure(Tcp)"),
            (fragment(0x0001, segment), "LaterFragment"),
            (ipv4(17, 0, &[], POD, PEER, &[0; 8]), "Udp"),
            (ipv4(132, 0, &[], POD, PEER, &[0; 15]), "Failure(Sctp)"),
            (ipv4(132, 0, &[], POD, PEER, &[0; 16]), "Sctp"),
            (ipv4(58, 0, &[], POD, PEER, &[0; 16]), "Protocol"),
            (icmp(8, 0, &[]), "EchoRequest"),
            (icmp(3, 3, quoted), "Unreachable"),
            (icmp(3, 4, quoted), "OtherIcmp"),
            (icmp(3, 3, &quoted[..23]), "Failure(Icmp)"),
            (chain(6), "Tcp"),
            (chain(7), "Failure(Ipv6Chain)"),
            (from_pod_v6(44, &[6, 0, 0, 8]), "LaterFragment"),
            (from_pod_v6(44, &[6, 0, 0]), "Failure(Ipv6)"),
            (ethernet(0x0806, &[0; 28]), "OtherFrame"),
            (ethernet(0x0806, &[0; 27]), "Failure(Arp)"),
            (ethernet(0x88b5, &[]), "OtherFrame"),
        ];
        for (index, (frame, expected)) in cases.iter().enumerate() {
            assert_eq!(name(parse(frame)), *expected, "case {index}: {frame:02x?}");
        }
    }

    #[test]
    fn what_is_not_linear_is_pulled_only_after_a_failure() {
        let segment = from_pod(&Tcp {
            flags: SYN,
            ..Tcp::default()
        });
        assert_eq!(parse_linear(&segment, 14), parse(&segment));
        let first = fragment(0x2000, &segment[34..]);
        let tiny = parse_linear(&first, 34 + 8);
        assert!(matches!(tiny, Packet::Tiny(_, Transport::Tcp)), "{tiny:?}");
        let far = ipv4(6, 0, &[], POD, PEER, &[0; 300]);
        assert_eq!(parse_linear(&far, 300), parse(&far));
    }
}
