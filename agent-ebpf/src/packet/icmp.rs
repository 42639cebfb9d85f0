//! ICMP and ICMPv6 unreachables, and the TCP segment they quote.

use agent_common::ParseFailure;
use aya_ebpf::programs::TcContext;

use super::{
    headers::{Icmp, Ipv4, Ipv6, Ports, header, port},
    ip::{Ip, Version, ipv4_addresses, ipv4_header_bytes, ipv6_addresses},
};

const ICMP_BYTES: usize = 8;
const UNREACHABLE: u8 = 3;
/// Path MTU discovery, no refusal.
const FRAGMENTATION_NEEDED: u8 = 4;
const UNREACHABLE_V6: u8 = 1;
const IPV6_BYTES: usize = 40;
const NEXT_TCP: u8 = 6;

/// A TCP segment that an ICMP error quotes.
pub(crate) struct Quoted {
    pub(crate) source: [u32; 4],
    pub(crate) destination: [u32; 4],
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
}

/// The TCP segment that an unreachable quotes; none in any other message.
#[inline(always)]
pub(crate) fn parse(ctx: &TcContext, ip: &Ip) -> Result<Option<Quoted>, ParseFailure> {
    let icmp = header::<Icmp>(ctx, ip.offset).ok_or(ParseFailure::Icmp)?;
    let unreachable = match ip.version {
        Version::V4 => icmp.kind == UNREACHABLE && icmp.code != FRAGMENTATION_NEEDED,
        Version::V6 => icmp.kind == UNREACHABLE_V6,
    };
    if !unreachable {
        return Ok(None);
    }
    let network = ip.offset + ICMP_BYTES;
    let (next, header_bytes, addresses) = match ip.version {
        Version::V4 => {
            let quoted = header::<Ipv4>(ctx, network).ok_or(ParseFailure::Icmp)?;
            let header_bytes = ipv4_header_bytes(quoted).ok_or(ParseFailure::Icmp)?;
            (quoted.protocol, header_bytes, ipv4_addresses(ctx, network))
        }
        Version::V6 => {
            let quoted = header::<Ipv6>(ctx, network).ok_or(ParseFailure::Icmp)?;
            (quoted.next, IPV6_BYTES, ipv6_addresses(ctx, network))
        }
    };
    if next != NEXT_TCP {
        return Ok(None);
    }
    let (source, destination) = addresses.ok_or(ParseFailure::Icmp)?;
    let (_, addressee) = ip.addresses(ctx).ok_or(ParseFailure::Icmp)?;
    // Errors are sent to whom the packet was from (RFC 792): this one is about somebody else's.
    if source != addressee {
        return Ok(None);
    }
    let ports = header::<Ports>(ctx, network + header_bytes).ok_or(ParseFailure::Icmp)?;
    Ok(Some(Quoted {
        source,
        destination,
        source_port: port(ports.source),
        destination_port: port(ports.destination),
    }))
}
