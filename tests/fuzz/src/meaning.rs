//! What a packet is, in words that both parsers share.

use agent_common::{ParseFailure, Transport};
use agent_ebpf::packet::{
    self as parser, Chunk, Frame, Ip, Neighbour, PortPair, Quoted, Sctp, Tcp, Udp, Verdicts,
};

use crate::oracle;

type Host = [u32; 4];

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    Tcp {
        ends: Ends,
        flags: u8,
        words: u8,
        first_sequence: bool,
        data: bool,
        payload: Payload,
    },
    Tiny(Ends, Transport),
    Udp(Ends, Payload),
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

/// Where it begins, and how long it is.
type Payload = (usize, usize);

pub(crate) fn of_parser(frame: &Frame) -> Meaning {
    parser::parse(frame, &Told)
}

/// Tells what the parser found.
struct Told;

impl Verdicts for Told {
    type Verdict = Meaning;

    fn tcp(&self, frame: &Frame, tcp: &Tcp) -> Meaning {
        Meaning::Tcp {
            ends: ends(frame, &tcp.ip, tcp.ports),
            flags: tcp.flags,
            words: tcp.words,
            first_sequence: tcp.first_sequence,
            data: tcp.payload,
            payload: payload(&tcp.ip, tcp.payload_offset()),
        }
    }

    fn udp(&self, frame: &Frame, udp: &Udp) -> Meaning {
        Meaning::Udp(
            ends(frame, &udp.ip, udp.ports),
            payload(&udp.ip, udp.payload_offset()),
        )
    }

    fn sctp(&self, frame: &Frame, sctp: &Sctp) -> Meaning {
        Meaning::Sctp(ends(frame, &sctp.ip, sctp.ports), sctp.chunk)
    }

    fn tiny(&self, frame: &Frame, ip: &Ip, transport: Transport, ports: PortPair) -> Meaning {
        Meaning::Tiny(ends(frame, ip, ports), transport)
    }

    fn echo_request(&self, frame: &Frame, ip: &Ip) -> Meaning {
        Meaning::EchoRequest(ends(frame, ip, both(0)))
    }

    fn echo_reply(&self, frame: &Frame, ip: &Ip) -> Meaning {
        Meaning::EchoReply(ends(frame, ip, both(0)))
    }

    fn unreachable(&self, frame: &Frame, ip: &Ip, quoted: &Quoted) -> Meaning {
        let of_quoted = Ends {
            source: quoted.source,
            destination: quoted.destination,
            ports: [quoted.ports.source, quoted.ports.destination],
        };
        Meaning::Unreachable(ends(frame, ip, both(0)), of_quoted, quoted.transport)
    }

    fn other_icmp(&self) -> Meaning {
        Meaning::OtherIcmp
    }

    fn solicitation(&self, neighbour: &Neighbour) -> Meaning {
        Meaning::Solicitation(neighbour.source, neighbour.target)
    }

    fn advertisement(&self, neighbour: &Neighbour) -> Meaning {
        Meaning::Advertisement(neighbour.target)
    }

    fn protocol(&self, frame: &Frame, ip: &Ip, number: u8) -> Meaning {
        Meaning::Protocol(ends(frame, ip, both(number.into())))
    }

    fn later_fragment(&self) -> Meaning {
        Meaning::LaterFragment
    }

    fn other_frame(&self) -> Meaning {
        Meaning::OtherFrame
    }

    fn failed(&self, failure: ParseFailure) -> Meaning {
        Meaning::Failure(failure)
    }
}

fn ends(frame: &Frame, ip: &Ip, ports: PortPair) -> Ends {
    Ends {
        source: ip.source(frame).expect("its header was read before"),
        destination: ip.destination(frame).expect("its header was read before"),
        ports: [ports.source, ports.destination],
    }
}

const fn payload(ip: &Ip, at: usize) -> Payload {
    (at, ip.end().saturating_sub(at))
}

const fn both(port: u16) -> PortPair {
    PortPair {
        source: port,
        destination: port,
    }
}

pub(crate) fn of_oracle(packet: &oracle::Packet) -> Meaning {
    let ends = |ends: &oracle::Ends| Ends {
        source: ends.source,
        destination: ends.destination,
        ports: [ends.source_port, ends.destination_port],
    };
    let payload = |it: &oracle::Payload| (it.at, it.bytes);
    match packet {
        oracle::Packet::Tcp(between, segment) => Meaning::Tcp {
            ends: ends(between),
            flags: segment.flags,
            words: segment.words,
            first_sequence: segment.sequence == 0,
            data: segment.payload.bytes > 0,
            payload: payload(&segment.payload),
        },
        oracle::Packet::Tiny(between, transport) => Meaning::Tiny(ends(between), *transport),
        oracle::Packet::Udp(between, it) => Meaning::Udp(ends(between), payload(it)),
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
