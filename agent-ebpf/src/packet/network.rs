//! IPv4 with options and fragments, IPv6 with extension headers.

use agent_common::ParseFailure;

use super::{
    Verdicts,
    frame::Frame,
    headers::{Ipv4, Ipv6, Ipv6Extension, header, opaque},
    icmp,
    ip::{Ip, Version, is_later_fragment, v4_header_bytes},
    sctp, tcp, udp,
};

const IPV4_MORE_FRAGMENTS: u16 = 0x2000_u16.to_be();
const IPV6_BYTES: usize = 40;
const IPV6_OFFSET_MASK: u16 = 0xfff8_u16.to_be();
const IPV6_MORE_FRAGMENTS: u16 = 1_u16.to_be();
/// Extension headers the programs follow: one of each kind that may come before TCP.
const IPV6_CHAIN: usize = 6;

const NEXT_HOP_BY_HOP: u8 = 0;
const NEXT_ICMP: u8 = 1;
const NEXT_TCP: u8 = 6;
const NEXT_UDP: u8 = 17;
const NEXT_ROUTING: u8 = 43;
const NEXT_FRAGMENT: u8 = 44;
const NEXT_AUTHENTICATION: u8 = 51;
const NEXT_ICMPV6: u8 = 58;
const NEXT_DESTINATION: u8 = 60;
const NEXT_SCTP: u8 = 132;

#[inline(always)]
pub(super) fn v4<V: Verdicts>(frame: &Frame, network: usize, verdicts: &V) -> V::Verdict {
    let Some(ip) = header::<Ipv4>(frame, network) else {
        return verdicts.failed(ParseFailure::Ipv4);
    };
    let Some(header_bytes) = v4_header_bytes(ip) else {
        return verdicts.failed(ParseFailure::Ipv4);
    };
    // Zero when a GSO packet is longer than the field can tell (net/ipv4/ip_output.c, BIG TCP).
    let total = usize::from(u16::from_be(ip.total_bytes));
    if total != 0 && total < header_bytes {
        return verdicts.failed(ParseFailure::Ipv4);
    }
    if is_later_fragment(ip) {
        return verdicts.later_fragment();
    }
    let here = Ip {
        offset: network + header_bytes,
        end: if total == 0 {
            frame.bytes
        } else {
            network + total
        },
        first: ip.fragment & IPV4_MORE_FRAGMENTS != 0,
        version: Version::V4,
        network,
    };
    match ip.protocol {
        NEXT_TCP => tcp::parse(frame, here, verdicts),
        NEXT_UDP => udp::parse(frame, here, verdicts),
        NEXT_ICMP => icmp::parse(frame, here, verdicts),
        NEXT_SCTP => sctp::parse(frame, here, verdicts),
        other => verdicts.protocol(frame, &here, other),
    }
}

#[inline(always)]
pub(super) fn v6<V: Verdicts>(frame: &Frame, network: usize, verdicts: &V) -> V::Verdict {
    let Some(ip) = header::<Ipv6>(frame, network) else {
        return verdicts.failed(ParseFailure::Ipv6);
    };
    if ip.version_and_class >> 4 != 6 {
        return verdicts.failed(ParseFailure::Ipv6);
    }
    let payload = usize::from(u16::from_be(ip.payload_bytes));
    let end = if payload == 0 {
        frame.bytes
    } else {
        network + IPV6_BYTES + payload
    };
    let mut next = ip.next;
    let mut offset = network + IPV6_BYTES;
    let mut first = false;
    let mut followed = 0;
    while is_extension(next) {
        if followed == IPV6_CHAIN {
            return verdicts.failed(ParseFailure::Ipv6Chain);
        }
        let Some(extension) = header::<Ipv6Extension>(frame, offset) else {
            return verdicts.failed(ParseFailure::Ipv6);
        };
        let length = usize::from(extension.length);
        if next == NEXT_FRAGMENT {
            if extension.fragment & IPV6_OFFSET_MASK != 0 {
                return verdicts.later_fragment();
            }
            first |= extension.fragment & IPV6_MORE_FRAGMENTS != 0;
            offset += 8;
        } else if next == NEXT_AUTHENTICATION {
            offset += (length + 2) * 4;
        } else {
            offset += (length + 1) * 8;
        }
        next = extension.next;
        followed += 1;
    }
    let here = Ip {
        offset: opaque(frame, offset),
        end,
        first,
        version: Version::V6,
        network,
    };
    match next {
        NEXT_TCP => tcp::parse(frame, here, verdicts),
        NEXT_UDP => udp::parse(frame, here, verdicts),
        NEXT_ICMPV6 => icmp::parse(frame, here, verdicts),
        NEXT_SCTP => sctp::parse(frame, here, verdicts),
        other => verdicts.protocol(frame, &here, other),
    }
}

#[inline(always)]
const fn is_extension(next: u8) -> bool {
    matches!(
        next,
        NEXT_HOP_BY_HOP | NEXT_ROUTING | NEXT_FRAGMENT | NEXT_DESTINATION | NEXT_AUTHENTICATION
    )
}
