//! Parses IPv4 and IPv6, up to the transport.

use agent_common::ParseFailure;

use super::{bytes::Bytes, datagram::Datagram, packet::Packet, transport};

/// Extension headers that are followed.
const CHAIN: usize = 6;

/// RFC 791.
pub(super) fn ipv4(bytes: &Bytes<'_>, at: usize) -> Packet {
    read_ipv4(bytes, at).unwrap_or(Packet::Failure(ParseFailure::Ipv4))
}

fn read_ipv4(bytes: &Bytes<'_>, at: usize) -> Option<Packet> {
    let header = bytes.part(at, 20)?;
    let words = usize::from(header[0] & 0x0f);
    let total = usize::from(bytes.half(at + 2)?);
    let contradicts = header[0] >> 4 != 4 || words < 5 || (total != 0 && total < words * 4);
    if contradicts {
        return None;
    }
    let fragment = bytes.half(at + 6)?;
    if fragment & 0x1fff != 0 {
        return Some(Packet::LaterFragment);
    }
    let end = if total == 0 { bytes.length } else { at + total };
    let transport = at + words * 4;
    Some(transport::parse(
        bytes,
        &Datagram {
            source: bytes.v4(at + 12)?,
            destination: bytes.v4(at + 16)?,
            protocol: header[9],
            is_v6: false,
            first: fragment & 0x2000 != 0,
            at: transport,
            available: end.saturating_sub(transport),
        },
    ))
}

/// RFC 8200.
pub(super) fn ipv6(bytes: &Bytes<'_>, at: usize) -> Packet {
    read_ipv6(bytes, at).unwrap_or(Packet::Failure(ParseFailure::Ipv6))
}

fn read_ipv6(bytes: &Bytes<'_>, at: usize) -> Option<Packet> {
    let header = bytes.part(at, 40)?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let payload = usize::from(bytes.half(at + 4)?);
    let end = if payload == 0 {
        bytes.length
    } else {
        at + 40 + payload
    };
    let mut datagram = Datagram {
        source: bytes.v6(at + 8)?,
        destination: bytes.v6(at + 24)?,
        protocol: header[6],
        is_v6: true,
        first: false,
        at: at + 40,
        available: 0,
    };
    let mut followed = 0;
    while matches!(datagram.protocol, 0 | 43 | 44 | 51 | 60) {
        if followed == CHAIN {
            return Some(Packet::Failure(ParseFailure::Ipv6Chain));
        }
        followed += 1;
        let extension = bytes.part(datagram.at, 4)?;
        let length = usize::from(extension[1]);
        datagram.at += match datagram.protocol {
            44 => {
                let fragment = u16::from_be_bytes([extension[2], extension[3]]);
                if fragment & 0xfff8 != 0 {
                    return Some(Packet::LaterFragment);
                }
                datagram.first |= fragment & 1 != 0;
                8
            }
            51 => (length + 2) * 4,
            _ => (length + 1) * 8,
        };
        datagram.protocol = extension[0];
    }
    datagram.available = end.saturating_sub(datagram.at);
    Some(transport::parse(bytes, &datagram))
}
