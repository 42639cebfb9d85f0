//! ICMP and ICMPv6: requests and answers, neighbour discovery, unreachables and what they quote.

use agent_common::{ParseFailure, Transport};

use super::{
    Verdicts,
    arp::Neighbour,
    frame::Frame,
    headers::{Icmp, Ipv4, Ipv6, NeighbourMessage, Ports, header, mapped, words},
    ip::{Ip, PortPair, Version, is_later_fragment, v4_header_bytes},
};

const ICMP_BYTES: usize = 8;
const UNREACHABLE: u8 = 3;
/// Path MTU discovery, no refusal.
const FRAGMENTATION_NEEDED: u8 = 4;
const UNREACHABLE_V6: u8 = 1;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const IPV6_BYTES: usize = 40;

/// A packet that an ICMP error quotes.
#[derive(Clone, Copy, Debug)]
pub struct Quoted {
    /// Who sent it.
    pub source: [u32; 4],
    /// To whom.
    pub destination: [u32; 4],
    /// Over what.
    pub transport: Transport,
    /// Their ports; for another protocol its number stands for the destination's.
    pub ports: PortPair,
}

#[inline(always)]
pub(super) fn parse<V: Verdicts>(frame: &Frame, ip: Ip, verdicts: &V) -> V::Verdict {
    let Some(icmp) = ip.transport::<Icmp>(frame) else {
        return verdicts.failed(ParseFailure::Icmp);
    };
    match (ip.version, icmp.kind) {
        // Echo, timestamp (RFC 792) and address mask (RFC 950).
        (Version::V4, 8 | 13 | 17) | (Version::V6, ECHO_REQUEST_V6) => {
            verdicts.echo_request(frame, &ip)
        }
        (Version::V4, 0 | 14 | 18) | (Version::V6, ECHO_REPLY_V6) => {
            verdicts.echo_reply(frame, &ip)
        }
        (Version::V4, UNREACHABLE) if icmp.code != FRAGMENTATION_NEEDED => {
            quoted_v4(frame, &ip, verdicts)
        }
        (Version::V6, UNREACHABLE_V6) => quoted_v6(frame, &ip, verdicts),
        (Version::V6, SOLICITATION) => match neighbour(frame, &ip) {
            Some(neighbour) => verdicts.solicitation(&neighbour),
            None => verdicts.failed(ParseFailure::Icmp),
        },
        (Version::V6, ADVERTISEMENT) => match neighbour(frame, &ip) {
            Some(neighbour) => verdicts.advertisement(&neighbour),
            None => verdicts.failed(ParseFailure::Icmp),
        },
        _ => verdicts.other_icmp(),
    }
}

#[inline(always)]
fn neighbour(frame: &Frame, ip: &Ip) -> Option<Neighbour> {
    let message = ip.transport::<NeighbourMessage>(frame)?;
    Some(Neighbour {
        source: ip.source(frame)?,
        target: words(message.target),
        icmp: true,
    })
}

#[inline(always)]
fn quoted_v4<V: Verdicts>(frame: &Frame, ip: &Ip, verdicts: &V) -> V::Verdict {
    let network = ip.offset + ICMP_BYTES;
    let Some(quoted) = header::<Ipv4>(frame, network) else {
        return verdicts.failed(ParseFailure::Icmp);
    };
    let Some(header_bytes) = v4_header_bytes(quoted) else {
        return verdicts.failed(ParseFailure::Icmp);
    };
    if is_later_fragment(quoted) {
        return verdicts.other_icmp();
    }
    let Some((transport, ports)) = transport(frame, network + header_bytes, quoted.protocol, 1)
    else {
        return verdicts.failed(ParseFailure::Icmp);
    };
    verdicts.unreachable(
        frame,
        ip,
        &Quoted {
            source: mapped(quoted.source),
            destination: mapped(quoted.destination),
            transport,
            ports,
        },
    )
}

#[inline(always)]
fn quoted_v6<V: Verdicts>(frame: &Frame, ip: &Ip, verdicts: &V) -> V::Verdict {
    let network = ip.offset + ICMP_BYTES;
    let Some(quoted) = header::<Ipv6>(frame, network) else {
        return verdicts.failed(ParseFailure::Icmp);
    };
    if quoted.version_and_class >> 4 != 6 {
        return verdicts.failed(ParseFailure::Icmp);
    }
    let Some((transport, ports)) = transport(frame, network + IPV6_BYTES, quoted.next, 58) else {
        return verdicts.failed(ParseFailure::Icmp);
    };
    verdicts.unreachable(
        frame,
        ip,
        &Quoted {
            source: words(quoted.source),
            destination: words(quoted.destination),
            transport,
            ports,
        },
    )
}

/// What the quoted packet is over; `icmp` is the number of ICMP in its IP version. None if it is cut.
#[inline(always)]
fn transport(
    frame: &Frame,
    offset: usize,
    protocol: u8,
    icmp: u8,
) -> Option<(Transport, PortPair)> {
    let by_number = |transport, destination| {
        let source = 0;
        Some((
            transport,
            PortPair {
                source,
                destination,
            },
        ))
    };
    let transport = match protocol {
        6 => Transport::Tcp,
        17 => Transport::Udp,
        132 => Transport::Sctp,
        _ if protocol == icmp => return by_number(Transport::Icmp, 0),
        _ => return by_number(Transport::Protocol, protocol.into()),
    };
    let ports = header::<Ports>(frame, offset)?;
    Some((transport, PortPair::of(ports)))
}
