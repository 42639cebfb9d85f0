//! Parses what IP carries.

use agent_common::{ParseFailure, Transport};

use super::{
    bytes::Bytes,
    datagram::Datagram,
    packet::{Ends, Packet, Payload, Quoted, Segment},
};

pub(super) fn parse(bytes: &Bytes<'_>, datagram: &Datagram) -> Packet {
    let (parsed, failure) = match (datagram.protocol, datagram.is_v6) {
        (6, _) => (tcp(bytes, datagram), ParseFailure::Tcp),
        (17, _) => (udp(bytes, datagram), ParseFailure::Udp),
        (132, _) => (sctp(bytes, datagram), ParseFailure::Sctp),
        (1, false) | (58, true) => (icmp(bytes, datagram), ParseFailure::Icmp),
        (number, _) => {
            let number = u16::from(number);
            return Packet::Protocol(ends(datagram, number, number));
        }
    };
    parsed.unwrap_or(Packet::Failure(failure))
}

/// The first `count` bytes of the transport, if they are both there and of this datagram.
fn header<'a>(bytes: &'a Bytes<'_>, datagram: &Datagram, count: usize) -> Option<&'a [u8]> {
    if datagram.available < count {
        return None;
    }
    bytes.part(datagram.at, count)
}

fn ends(datagram: &Datagram, source_port: u16, destination_port: u16) -> Ends {
    Ends {
        source: datagram.source,
        destination: datagram.destination,
        source_port,
        destination_port,
    }
}

fn with_ports(datagram: &Datagram, ports: &[u8]) -> Ends {
    ends(
        datagram,
        u16::from_be_bytes([ports[0], ports[1]]),
        u16::from_be_bytes([ports[2], ports[3]]),
    )
}

const fn payload(datagram: &Datagram, header: usize) -> Payload {
    Payload {
        at: datagram.at + header,
        bytes: datagram.available.saturating_sub(header),
    }
}

/// RFC 9293; of a first fragment as much as there is.
fn tcp(bytes: &Bytes<'_>, datagram: &Datagram) -> Option<Packet> {
    let whole = header(bytes, datagram, 20);
    let to_flags = || header(bytes, datagram, 14).filter(|_| datagram.first);
    let Some(tcp) = whole.or_else(to_flags) else {
        return tiny(bytes, datagram, Transport::Tcp);
    };
    let words = tcp[12] >> 4;
    if words < 5 {
        return None;
    }
    Some(Packet::Tcp(
        with_ports(datagram, tcp),
        Segment {
            flags: tcp[13],
            sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
            words,
            payload: payload(datagram, usize::from(words) * 4),
        },
    ))
}

fn tiny(bytes: &Bytes<'_>, datagram: &Datagram, transport: Transport) -> Option<Packet> {
    let ports = header(bytes, datagram, 4).filter(|_| datagram.first)?;
    Some(Packet::Tiny(with_ports(datagram, ports), transport))
}

/// RFC 768.
fn udp(bytes: &Bytes<'_>, datagram: &Datagram) -> Option<Packet> {
    let udp = header(bytes, datagram, 8)?;
    Some(Packet::Udp(with_ports(datagram, udp), payload(datagram, 8)))
}

/// RFC 9260: the common header and the first chunk's.
fn sctp(bytes: &Bytes<'_>, datagram: &Datagram) -> Option<Packet> {
    match header(bytes, datagram, 16) {
        Some(sctp) => Some(Packet::Sctp(with_ports(datagram, sctp), sctp[12])),
        None => tiny(bytes, datagram, Transport::Sctp),
    }
}

/// RFC 792, 950, 4443 and 4861.
fn icmp(bytes: &Bytes<'_>, datagram: &Datagram) -> Option<Packet> {
    let icmp = header(bytes, datagram, 8)?;
    let ends = ends(datagram, 0, 0);
    Some(match (datagram.is_v6, icmp[0], icmp[1]) {
        (false, 8 | 13 | 17, _) | (true, 128, _) => Packet::EchoRequest(ends),
        (false, 0 | 14 | 18, _) | (true, 129, _) => Packet::EchoReply(ends),
        (false, 3, 4) => Packet::OtherIcmp,
        (false, 3, _) => quoted_v4(bytes, datagram.at + 8, ends)?,
        (true, 1, _) => {
            let at = datagram.at + 8;
            let quoted = bytes.part(at, 40)?;
            if quoted[0] >> 4 != 6 {
                return None;
            }
            let hosts = [bytes.v6(at + 8)?, bytes.v6(at + 24)?];
            Packet::Unreachable(ends, quote(bytes, quoted[6], 58, hosts, at + 40)?)
        }
        (true, 135 | 136, _) => {
            header(bytes, datagram, 24)?;
            let target = bytes.v6(datagram.at + 8)?;
            if icmp[0] == 135 {
                Packet::Solicitation(ends, target)
            } else {
                Packet::Advertisement(ends, target)
            }
        }
        _ => Packet::OtherIcmp,
    })
}

fn quoted_v4(bytes: &Bytes<'_>, at: usize, ends: Ends) -> Option<Packet> {
    let quoted = bytes.part(at, 20)?;
    let words = usize::from(quoted[0] & 0x0f);
    if quoted[0] >> 4 != 4 || words < 5 {
        return None;
    }
    if bytes.half(at + 6)? & 0x1fff != 0 {
        return Some(Packet::OtherIcmp);
    }
    let hosts = [bytes.v4(at + 12)?, bytes.v4(at + 16)?];
    let quoted = quote(bytes, quoted[9], 1, hosts, at + words * 4)?;
    Some(Packet::Unreachable(ends, quoted))
}

fn quote(
    bytes: &Bytes<'_>,
    protocol: u8,
    icmp: u8,
    [source, destination]: [[u32; 4]; 2],
    at: usize,
) -> Option<Quoted> {
    let transport = match protocol {
        6 => Transport::Tcp,
        17 => Transport::Udp,
        132 => Transport::Sctp,
        number if number == icmp => Transport::Icmp,
        _ => Transport::Protocol,
    };
    let (source_port, destination_port) = match transport {
        Transport::Icmp => (0, 0),
        Transport::Protocol => (0, u16::from(protocol)),
        _ => {
            let ports = bytes.part(at, 4)?;
            (
                u16::from_be_bytes([ports[0], ports[1]]),
                u16::from_be_bytes([ports[2], ports[3]]),
            )
        }
    };
    Some(Quoted {
        ends: Ends {
            source,
            destination,
            source_port,
            destination_port,
        },
        transport,
    })
}
