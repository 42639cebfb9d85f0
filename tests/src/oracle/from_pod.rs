//! What a packet of the pod changes.

use agent_common::{
    Class, Counter, Direction, RecordKind, SOURCES_V4, SOURCES_V6, Transport, endpoint_hash,
};

use super::{
    model::{Gso, Model, Verdict, holds, set},
    outcome::Event,
    packet::{Ends, Host, Packet, Segment},
    parse::parse,
};
use crate::packet::{ACK, FIN, PSH, RST, SYN, URG};

const UNSPECIFIED_V4: Host = [0, 0, 0xffff_u32.to_be(), 0];
const UNSPECIFIED_V6: Host = [0; 4];

impl Model {
    /// A frame of the pod, of one segment.
    pub fn from_pod(&mut self, frame: &[u8]) -> Verdict {
        self.packet_from_pod(&parse(frame), Gso::default(), frame)
    }

    /// A parsed packet of the pod, and all of its bytes.
    pub fn packet_from_pod(&mut self, packet: &Packet, gso: Gso, frame: &[u8]) -> Verdict {
        self.measure(Direction::FromPod, packet, gso, frame);
        if self.counts_alike(packet) {
            return Verdict::Pass;
        }
        self.sample_packet(packet, Direction::FromPod, frame);
        match *packet {
            Packet::Tcp(ends, segment) => return self.segment_from_pod(ends, segment),
            Packet::Tiny(ends, transport) => {
                return self.initiate(transport, Class::TinyFragment, ends, None);
            }
            Packet::Udp(ends, _) if self.has_heard_peer(ends, Transport::Udp) => {
                self.count(Counter::Replies);
            }
            Packet::Udp(ends, _) => return self.initiate(Transport::Udp, Class::Udp, ends, None),
            Packet::Sctp(ends, 1) => {
                return self.initiate(Transport::Sctp, Class::SctpInit, ends, None);
            }
            Packet::Sctp(ends, 10) if !self.has_heard_peer(ends, Transport::Sctp) => {
                return self.initiate(Transport::Sctp, Class::SctpCookieEcho, ends, None);
            }
            Packet::Sctp(ends, 6) => self.refuse(ends.source_port),
            Packet::EchoRequest(ends) => {
                return self.initiate(Transport::Icmp, Class::Echo, ends, None);
            }
            Packet::EchoReply(_) => self.count(Counter::OtherIcmp),
            Packet::Unreachable(ends, quoted) => {
                let with_ports = matches!(
                    quoted.transport,
                    Transport::Tcp | Transport::Udp | Transport::Sctp
                );
                if with_ports && quoted.ends.destination == ends.source {
                    self.refuse(quoted.ends.destination_port);
                } else {
                    self.count(Counter::OtherIcmp);
                }
            }
            Packet::ArpRequest(ends) => {
                return self.ask(ends);
            }
            Packet::Solicitation(ends, target) => {
                return self.ask(Ends {
                    destination: target,
                    ..ends
                });
            }
            Packet::ArpReply(_) | Packet::Advertisement(..) => self.count(Counter::OtherNeighbour),
            Packet::Protocol(ends) if !self.has_heard_peer(ends, Transport::Protocol) => {
                return self.initiate(Transport::Protocol, Class::Protocol, ends, None);
            }
            _ => {}
        }
        Verdict::Pass
    }

    fn has_heard_peer(&self, ends: Ends, transport: Transport) -> bool {
        self.has_heard(ends.destination, ends.destination_port, transport)
    }

    fn segment_from_pod(&mut self, ends: Ends, segment: Segment) -> Verdict {
        let has = |flag| segment.flags & flag != 0;
        let heard = self.has_heard_peer(ends, Transport::Tcp);
        let class = if has(RST) {
            self.count(Counter::ResetsSent);
            if has(ACK) && segment.sequence == 0 {
                self.refuse(ends.source_port);
            }
            return Verdict::Pass;
        } else if !has(ACK) {
            match segment.flags & 0x3f {
                SYN => Class::Syn,
                0 => Class::Null,
                FIN => Class::Fin,
                flags if flags == FIN | PSH | URG => Class::Xmas,
                _ => Class::OddFlags,
            }
        } else if has(SYN) {
            if heard {
                self.count(Counter::Accepted);
                return Verdict::Pass;
            }
            Class::StraySynAck
        } else if segment.payload.bytes > 0 || heard {
            return Verdict::Pass;
        } else if has(FIN) {
            Class::StrayFin
        } else {
            Class::StrayAck
        };
        self.initiate(Transport::Tcp, class, ends, Some(segment))
    }

    fn refuse(&mut self, port: u16) {
        self.count(Counter::Refusing);
        set(&mut self.drained.refusing, port);
    }

    fn ask(&mut self, ends: Ends) -> Verdict {
        let of_nobody = |host| [UNSPECIFIED_V4, UNSPECIFIED_V6].contains(&host);
        let asks = !of_nobody(ends.source)
            && !of_nobody(ends.destination)
            && ends.source != ends.destination;
        if !asks {
            self.count(Counter::OtherNeighbour);
            return Verdict::Pass;
        }
        self.initiate(Transport::Neighbour, Class::Neighbour, ends, None)
    }

    fn initiate(
        &mut self,
        transport: Transport,
        class: Class,
        ends: Ends,
        segment: Option<Segment>,
    ) -> Verdict {
        self.drained.initiated[class as usize] += 1;
        let spoofed = self.is_spoofed(&ends.source);
        if spoofed {
            self.count(Counter::Spoofed);
        }
        let (word, bit) = Self::in_sketch(self.seed, &ends.destination);
        self.drained.contacted[word] |= bit;
        let port = ends.destination_port;
        let stray = matches!(
            class,
            Class::StrayAck | Class::StrayFin | Class::StraySynAck
        );
        let leased = self.lease_ns != 0 && self.now_ns < self.lease_ns;
        let mut contained = false;
        let mut spends = false;
        let ports = match transport {
            Transport::Tcp => Some(&mut self.tcp),
            Transport::Udp | Transport::Sctp => Some(&mut self.udp),
            _ => None,
        };
        if let Some(ports) = ports {
            set(&mut ports.fresh, port);
            contained = leased && !stray && !holds(&ports.window, port);
            spends = !contained && set(&mut ports.window, port);
        } else if transport == Transport::Protocol {
            let (word, bit) = (usize::from(port / 64), 1 << (port % 64));
            self.drained.protocols[word] |= bit;
            if self.protocols_window[word] & bit == 0 {
                self.protocols_window[word] |= bit;
                self.count(Counter::NewPorts);
            }
        }
        if contained {
            self.count(Counter::Contained);
        }
        if spends {
            self.count(Counter::NewPorts);
        }
        let event = Event {
            kind: RecordKind::Contact,
            transport,
            class: Some(class),
            segment,
            pod: ends.source,
            pod_port: match transport {
                Transport::Protocol => 0,
                _ => ends.source_port,
            },
            peer: ends.destination,
            port,
            spoofed,
            contained,
        };
        let hash = endpoint_hash(self.seed, &event.peer, port, transport);
        self.report(hash, &event);
        if spends {
            self.budget -= 1;
            if self.budget == 0 {
                self.trip(&event);
            }
        }
        if contained {
            Verdict::Drop
        } else {
            Verdict::Pass
        }
    }

    fn is_spoofed(&self, source: &Host) -> bool {
        let is_v4 = source[..3] == UNSPECIFIED_V4[..3];
        let family = if is_v4 { SOURCES_V4 } else { SOURCES_V6 };
        let link_local = !is_v4 && source[0].to_ne_bytes()[0] == 0xfe && {
            let second = source[0].to_ne_bytes()[1];
            second & 0xc0 == 0x80
        };
        self.source_families & family != 0
            && !link_local
            && ![UNSPECIFIED_V4, UNSPECIFIED_V6].contains(source)
            && !self.addresses.contains(source)
    }
}
