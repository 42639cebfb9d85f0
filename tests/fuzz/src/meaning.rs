//! What a packet is, in words that both parsers share.

use agent_common::{ParseFailure, Transport};
use agent_ebpf::packet::{self as parser, Chunk, Frame, Ip, Neighbour, PortPair};

use crate::oracle;

type Host = [u32; 4];

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    Tcp {
        ends: Ends,
        flags: u8,
        words: u8,
        first_sequence: bool,
        payload: bool,
    },
    Tiny(Ends, Transport),
    Udp(Ends),
    Sctp(Ends, Chunk),
    EchoRequest(Ends),
    EchoReply(Ends),
    Unreachable(Ends, Ends, Transport),
    OtherIcmp,
    /// Who asks, and for whom.
    Solicitation(Host, Host),
    /// Who is told of.
    Advertisement(Host),
    Protocol(Ends),
    LaterFragment,
    OtherFrame,
    Failure(ParseFailure),
}

#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Ends {
    source: Host,
    destination: Host,
    ports: [u16; 2],
}

pub(crate) fn of_parser(frame: &Frame) -> Meaning {
    let ends = |ip: &Ip, ports: PortPair| Ends {
        source: ip.source(frame).expect("its header was read before"),
        destination: ip.destination(frame).expect("its header was read before"),
        ports: [ports.source, ports.destination],
    };
    let both = |port| PortPair {
        source: port,
        destination: port,
    };
    let packet = match parser::parse(frame) {
        Ok(packet) => packet,
        Err(failure) => return Meaning::Failure(failure),
    };
    match packet {
        parser::Packet::Tcp(tcp) => Meaning::Tcp {
            ends: ends(&tcp.ip, tcp.ports),
            flags: tcp.flags,
            words: tcp.words,
            first_sequence: tcp.first_sequence,
            payload: tcp.payload,
        },
        parser::Packet::Udp(udp) => Meaning::Udp(ends(&udp.ip, udp.ports)),
        parser::Packet::Sctp(sctp) => Meaning::Sctp(ends(&sctp.ip, sctp.ports), sctp.chunk),
        parser::Packet::Tiny(ip, transport, ports) => Meaning::Tiny(ends(&ip, ports), transport),
        parser::Packet::EchoRequest(ip) => Meaning::EchoRequest(ends(&ip, both(0))),
        parser::Packet::EchoReply(ip) => Meaning::EchoReply(ends(&ip, both(0))),
        parser::Packet::Unreachable(ip, quoted) => Meaning::Unreachable(
            ends(&ip, both(0)),
            Ends {
                source: quoted.source,
                destination: quoted.destination,
                ports: [quoted.ports.source, quoted.ports.destination],
            },
            quoted.transport,
        ),
        parser::Packet::OtherIcmp => Meaning::OtherIcmp,
        parser::Packet::Solicitation(Neighbour { source, target }) => {
            Meaning::Solicitation(source, target)
        }
        parser::Packet::Advertisement(Neighbour { target, .. }) => Meaning::Advertisement(target),
        parser::Packet::Protocol(ip, number) => Meaning::Protocol(ends(&ip, both(number.into()))),
        parser::Packet::LaterFragment => Meaning::LaterFragment,
        parser::Packet::OtherFrame => Meaning::OtherFrame,
    }
}

pub(crate) fn of_oracle(packet: &oracle::Packet) -> Meaning {
    let ends = |ends: &oracle::Ends| Ends {
        source: ends.source,
        destination: ends.destination,
        ports: [ends.source_port, ends.destination_port],
    };
    match packet {
        oracle::Packet::Tcp(between, segment) => Meaning::Tcp {
            ends: ends(between),
            flags: segment.flags,
            words: segment.words,
            first_sequence: segment.sequence == 0,
            payload: segment.payload,
        },
        oracle::Packet::Tiny(between, transport) => Meaning::Tiny(ends(between), *transport),
        oracle::Packet::Udp(between) => Meaning::Udp(ends(between)),
        oracle::Packet::Sctp(between, chunk) => Meaning::Sctp(
            ends(between),
            match chunk {
                1 => Chunk::Init,
                2 => Chunk::InitAck,
                6 => Chunk::Abort,
                10 => Chunk::CookieEcho,
                _ => Chunk::Other,
            },
        ),
        oracle::Packet::EchoRequest(between) => Meaning::EchoRequest(ends(between)),
        oracle::Packet::EchoReply(between) => Meaning::EchoReply(ends(between)),
        oracle::Packet::Unreachable(between, quoted) => {
            Meaning::Unreachable(ends(between), ends(&quoted.ends), quoted.transport)
        }
        oracle::Packet::Solicitation(between, target) => {
            Meaning::Solicitation(between.source, *target)
        }
        oracle::Packet::ArpRequest(between) => {
            Meaning::Solicitation(between.source, between.destination)
        }
        oracle::Packet::Advertisement(_, target) => Meaning::Advertisement(*target),
        oracle::Packet::ArpReply(between) => Meaning::Advertisement(between.source),
        oracle::Packet::OtherIcmp => Meaning::OtherIcmp,
        oracle::Packet::Protocol(between) => Meaning::Protocol(ends(between)),
        oracle::Packet::LaterFragment => Meaning::LaterFragment,
        oracle::Packet::OtherFrame => Meaning::OtherFrame,
        oracle::Packet::Failure(failure) => Meaning::Failure(*failure),
    }
}
