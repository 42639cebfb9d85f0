//! Ethernet with VLAN tags, IPv4 with options and fragments, IPv6 with extension headers.

use agent_common::ParseFailure;
use aya_ebpf::programs::TcContext;

use super::headers::{Ipv4, Ipv6, Ipv6Extension, Vlan, header, mapped, words};

const ETHERNET_BYTES: usize = 14;
const VLAN_BYTES: usize = 4;
/// 802.1ad with 802.1Q inside.
const VLAN_TAGS: usize = 2;

const ETHER_IPV4: u16 = 0x0800;
const ETHER_VLAN: u16 = 0x8100;
const ETHER_QINQ: u16 = 0x88a8;
const ETHER_IPV6: u16 = 0x86dd;

const IPV4_BYTES: usize = 20;
const IPV4_OFFSET_MASK: u16 = 0x1fff;
const IPV6_BYTES: usize = 40;
const IPV6_OFFSET_MASK: u16 = 0xfff8;
/// Extension headers the programs follow: one of each kind that may come before TCP.
const IPV6_CHAIN: usize = 6;

const NEXT_HOP_BY_HOP: u8 = 0;
const NEXT_ICMP: u8 = 1;
const NEXT_TCP: u8 = 6;
const NEXT_ROUTING: u8 = 43;
const NEXT_FRAGMENT: u8 = 44;
const NEXT_AUTHENTICATION: u8 = 51;
const NEXT_ICMPV6: u8 = 58;
const NEXT_DESTINATION: u8 = 60;

/// Where the transport header lies, and between whom it is.
pub(crate) struct Ip {
    pub(crate) offset: usize,
    pub(crate) version: Version,
    network: usize,
}

/// Which IP it is.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Version {
    V4,
    V6,
}

/// What an IP packet carries.
pub(crate) enum Payload {
    Tcp(Ip),
    Icmp(Ip),
    LaterFragment,
    Other,
}

impl Ip {
    /// Source and destination, IPv4 mapped.
    #[inline(always)]
    pub(crate) fn addresses(&self, ctx: &TcContext) -> Option<([u32; 4], [u32; 4])> {
        match self.version {
            Version::V4 => ipv4_addresses(ctx, self.network),
            Version::V6 => ipv6_addresses(ctx, self.network),
        }
    }
}

#[inline(always)]
pub(crate) fn ipv4_addresses(ctx: &TcContext, offset: usize) -> Option<([u32; 4], [u32; 4])> {
    let ip = header::<Ipv4>(ctx, offset)?;
    Some((mapped(ip.source), mapped(ip.destination)))
}

#[inline(always)]
pub(crate) fn ipv6_addresses(ctx: &TcContext, offset: usize) -> Option<([u32; 4], [u32; 4])> {
    let ip = header::<Ipv6>(ctx, offset)?;
    Some((words(ip.source), words(ip.destination)))
}

#[inline(always)]
pub(crate) fn parse(ctx: &TcContext) -> Result<Payload, ParseFailure> {
    let mut ether_type = (ctx.skb.protocol() as u16).to_le();
    let mut offset = ETHERNET_BYTES;
    let mut tags = 0;
    while ether_type == ETHER_VLAN.to_be() || ether_type == ETHER_QINQ.to_be() {
        if tags == VLAN_TAGS {
            return Err(ParseFailure::Ethernet);
        }
        let tag = header::<Vlan>(ctx, offset).ok_or(ParseFailure::Ethernet)?;
        ether_type = tag.ether_type;
        offset += VLAN_BYTES;
        tags += 1;
    }
    if ether_type == ETHER_IPV4.to_be() {
        ipv4(ctx, offset)
    } else if ether_type == ETHER_IPV6.to_be() {
        ipv6(ctx, offset)
    } else {
        Ok(Payload::Other)
    }
}

#[inline(always)]
fn ipv4(ctx: &TcContext, network: usize) -> Result<Payload, ParseFailure> {
    let ip = header::<Ipv4>(ctx, network).ok_or(ParseFailure::Ipv4)?;
    let header_bytes = ipv4_header_bytes(ip).ok_or(ParseFailure::Ipv4)?;
    if ip.fragment & IPV4_OFFSET_MASK.to_be() != 0 {
        return Ok(Payload::LaterFragment);
    }
    let here = Ip {
        offset: network + header_bytes,
        version: Version::V4,
        network,
    };
    Ok(match ip.protocol {
        NEXT_TCP => Payload::Tcp(here),
        NEXT_ICMP => Payload::Icmp(here),
        _ => Payload::Other,
    })
}

/// Length with options, unless the header is no IPv4 header.
#[inline(always)]
pub(crate) fn ipv4_header_bytes(ip: &Ipv4) -> Option<usize> {
    let bytes = usize::from(ip.version_and_words & 0xf) * 4;
    (ip.version_and_words >> 4 == 4 && bytes >= IPV4_BYTES).then_some(bytes)
}

#[inline(always)]
fn ipv6(ctx: &TcContext, network: usize) -> Result<Payload, ParseFailure> {
    let ip = header::<Ipv6>(ctx, network).ok_or(ParseFailure::Ipv6)?;
    if ip.version_and_class >> 4 != 6 {
        return Err(ParseFailure::Ipv6);
    }
    let mut next = ip.next;
    let mut offset = network + IPV6_BYTES;
    let mut followed = 0;
    while followed <= IPV6_CHAIN {
        let here = Ip {
            offset,
            version: Version::V6,
            network,
        };
        match next {
            NEXT_TCP => return Ok(Payload::Tcp(here)),
            NEXT_ICMPV6 => return Ok(Payload::Icmp(here)),
            NEXT_HOP_BY_HOP | NEXT_ROUTING | NEXT_FRAGMENT | NEXT_DESTINATION
            | NEXT_AUTHENTICATION => {}
            _ => return Ok(Payload::Other),
        }
        let extension = header::<Ipv6Extension>(ctx, offset).ok_or(ParseFailure::Ipv6)?;
        let length = usize::from(extension.length);
        offset += match next {
            NEXT_FRAGMENT if extension.fragment & IPV6_OFFSET_MASK.to_be() != 0 => {
                return Ok(Payload::LaterFragment);
            }
            NEXT_FRAGMENT => 8,
            NEXT_AUTHENTICATION => (length + 2) * 4,
            _ => (length + 1) * 8,
        };
        next = extension.next;
        followed += 1;
    }
    Err(ParseFailure::Ipv6Chain)
}
