//! ICMP and ICMPv6: requests and answers, neighbour discovery, unreachables and what they quote.

use agent_common::{ParseFailure, Transport};

use super::{
    Packet,
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
pub(super) fn parse(frame: &Frame, ip: Ip) -> Result<Packet, ParseFailure> {
    let icmp = ip.transport::<Icmp>(frame).ok_or(ParseFailure::Icmp)?;
    match (ip.version, icmp.kind) {
        // Echo, timestamp (RFC 792) and address mask (RFC 950).
        (Version::V4, 8 | 13 | 17) | (Version::V6, ECHO_REQUEST_V6) => Ok(Packet::EchoRequest(ip)),
        (Version::V4, 0 | 14 | 18) | (Version::V6, ECHO_REPLY_V6) => Ok(Packet::EchoReply(ip)),
        (Version::V4, UNREACHABLE) if icmp.code != FRAGMENTATION_NEEDED => quoted_v4(frame, ip),
        (Version::V6, UNREACHABLE_V6) => quoted_v6(frame, ip),
        (Version::V6, SOLICITATION) => neighbour(frame, ip).map(Packet::Solicitation),
        (Version::V6, ADVERTISEMENT) => neighbour(frame, ip).map(Packet::Advertisement),
        _ => Ok(Packet::OtherIcmp),
    }
}

#[inline(always)]
fn neighbour(frame: &Frame, ip: Ip) -> Result<Neighbour, ParseFailure> {
    let message = ip
        .transport::<NeighbourMessage>(frame)
        .ok_or(ParseFailure::Icmp)?;
    Ok(Neighbour {
        source: ip.source(frame).ok_or(ParseFailure::Icmp)?,
        target: words(message.target),
        icmp: true,
    })
}

#[inline(always)]
fn quoted_v4(frame: &Frame, ip: Ip) -> Result<Packet, ParseFailure> {
    let network = ip.offset + ICMP_BYTES;
    let quoted = header::<Ipv4>(frame, network).ok_or(ParseFailure::Icmp)?;
    let header_bytes = v4_header_bytes(quoted).ok_or(ParseFailure::Icmp)?;
    if is_later_fragment(quoted) {
        return Ok(Packet::OtherIcmp);
    }
    let (transport, ports) = transport(frame, network + header_bytes, quoted.protocol, 1)?;
    Ok(Packet::Unreachable(
        ip,
        Quoted {
            source: mapped(quoted.source),
            destination: mapped(quoted.destination),
            transport,
            ports,
        },
    ))
}

#[inline(always)]
fn quoted_v6(frame: &Frame, ip: Ip) -> Result<Packet, ParseFailure> {
    let network = ip.offset + ICMP_BYTES;
    let quoted = header::<Ipv6>(frame, network).ok_or(ParseFailure::Icmp)?;
    if quoted.version_and_class >> 4 != 6 {
        return Err(ParseFailure::Icmp);
    }
    let (transport, ports) = transport(frame, network + IPV6_BYTES, quoted.next, 58)?;
    Ok(Packet::Unreachable(
        ip,
        Quoted {
            source: words(quoted.source),
            destination: words(quoted.destination),
            transport,
            ports,
        },
    ))
}

/// What the quoted packet is over; `icmp` is the number of ICMP in its IP version.
#[inline(always)]
fn transport(
    frame: &Frame,
    offset: usize,
    protocol: u8,
    icmp: u8,
) -> Result<(Transport, PortPair), ParseFailure> {
    let transport = match protocol {
        6 => Transport::Tcp,
        17 => Transport::Udp,
        132 => Transport::Sctp,
        _ => {
            let destination = if protocol == icmp { 0 } else { protocol.into() };
            let transport = if protocol == icmp {
                Transport::Icmp
            } else {
                Transport::Protocol
            };
            let source = 0;
            return Ok((
                transport,
                PortPair {
                    source,
                    destination,
                },
            ));
        }
    };
    let ports = header::<Ports>(frame, offset).ok_or(ParseFailure::Icmp)?;
    Ok((transport, PortPair::of(ports)))
}
