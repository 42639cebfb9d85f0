//! What a packet to the pod changes.

use agent_common::{
    CONTACTED, Counter, Direction, REPORTED_MASK, Transport, contact_entry, endpoint_hash,
};

use super::{
    model::{Gso, Model, Verdict, holds, set},
    outcome::Event,
    packet::{Ends, Host, Packet, Quoted, Segment},
    parse::parse,
};
use crate::packet::{ACK, RST, SYN};

impl Model {
    /// A frame to the pod, of one segment.
    pub fn to_pod(&mut self, frame: &[u8]) -> Verdict {
        self.packet_to_pod(&parse(frame), Gso::default(), frame, false)
    }

    /// A parsed packet to the pod, and all of its bytes; a hairpin is one of its own.
    pub fn packet_to_pod(
        &mut self,
        packet: &Packet,
        gso: Gso,
        frame: &[u8],
        hairpin: bool,
    ) -> Verdict {
        self.measure(Direction::ToPod, packet, gso, frame);
        if hairpin || self.counts_alike(packet) {
            return Verdict::Pass;
        }
        self.sample_packet(packet, Direction::ToPod, frame);
        self.await_first_data(packet);
        match *packet {
            Packet::Tcp(ends, segment) => self.segment_to_pod(ends, segment),
            Packet::Tiny(ends, _) => self.probe(ends),
            Packet::Udp(ends, _) => {
                let newly = self.hear_source(ends, Transport::Udp);
                if !holds(&self.udp.window, ends.source_port) {
                    self.probe(ends);
                } else if newly {
                    self.answer(&Event::answer(Transport::Udp, ends));
                }
            }
            Packet::Sctp(ends, 6) => {
                self.refusal(&Event::refusal(Transport::Sctp, ends));
            }
            Packet::Sctp(ends, chunk) => self.chunk_to_pod(ends, chunk),
            Packet::EchoRequest(_) => self.count(Counter::EchoesReceived),
            Packet::EchoReply(ends) => {
                self.answer_to_contact(Transport::Icmp, ends, Counter::OtherIcmp);
            }
            Packet::Unreachable(ends, quoted) => self.unreachable_to_pod(ends, quoted),
            Packet::ArpReply(ends) => {
                self.answer_to_contact(Transport::Neighbour, ends, Counter::OtherNeighbour);
            }
            Packet::Advertisement(ends, target) => {
                let ends = Ends {
                    source: target,
                    ..ends
                };
                self.answer_to_contact(Transport::Neighbour, ends, Counter::OtherNeighbour);
            }
            Packet::ArpRequest(_) | Packet::Solicitation(..) => self.count(Counter::OtherNeighbour),
            Packet::Protocol(ends) => {
                let newly = self.hear_source(ends, Transport::Protocol);
                if newly && self.knows_protocol(ends.source_port) {
                    let ends = Ends {
                        destination_port: 0,
                        ..ends
                    };
                    self.answer(&Event::answer(Transport::Protocol, ends));
                }
            }
            _ => {}
        }
        Verdict::Pass
    }

    fn segment_to_pod(&mut self, ends: Ends, segment: Segment) {
        let has = |flag| segment.flags & flag != 0;
        let answer = Event {
            segment: Some(segment),
            ..Event::answer(Transport::Tcp, ends)
        };
        let is_known = holds(&self.tcp.window, ends.source_port);
        if has(RST) {
            self.count(Counter::ResetsReceived);
            let refuses = if has(ACK) {
                segment.sequence == 0
            } else {
                !self.has_heard(ends.source, ends.source_port, Transport::Tcp)
            };
            if refuses {
                self.refusal(&Event {
                    segment: Some(segment),
                    ..Event::refusal(Transport::Tcp, ends)
                });
            }
            return;
        }
        let newly = self.hear_source(ends, Transport::Tcp);
        if !has(ACK) {
            self.probe(ends);
        } else if is_known && (has(SYN) || newly) {
            self.answer(&answer);
        }
    }

    fn chunk_to_pod(&mut self, ends: Ends, chunk: u8) {
        let newly = self.hear_source(ends, Transport::Sctp);
        match chunk {
            1 => self.probe(ends),
            10 if newly => self.probe(ends),
            10 => {}
            _ => {
                if holds(&self.udp.window, ends.source_port) && (chunk == 2 || newly) {
                    self.answer(&Event::answer(Transport::Sctp, ends));
                }
            }
        }
    }

    fn unreachable_to_pod(&mut self, ends: Ends, quoted: Quoted) {
        let asked = quoted.ends.source == ends.destination;
        // Seen from the quoted packet, the refusal comes from its destination.
        let back = Ends {
            source: quoted.ends.destination,
            destination: quoted.ends.source,
            source_port: quoted.ends.destination_port,
            destination_port: quoted.ends.source_port,
        };
        if !asked || !self.refusal(&Event::refusal(quoted.transport, back)) {
            self.count(Counter::OtherIcmp);
        }
    }

    fn hear_source(&mut self, ends: Ends, transport: Transport) -> bool {
        self.hear(ends.source, ends.source_port, transport)
    }

    fn probe(&mut self, ends: Ends) {
        self.count(Counter::Probes);
        set(&mut self.drained.probed, ends.destination_port);
        let (word, bit) = Self::in_sketch(self.seed, &ends.source);
        self.drained.probing[word] |= bit;
    }

    fn answer_to_contact(&mut self, transport: Transport, ends: Ends, otherwise: Counter) {
        if self.was_contacted(&ends.source, transport) {
            // Who asked is not kept: the programs leave the pod's address out of these.
            let pod = match transport {
                Transport::Neighbour => [0; 4],
                _ => ends.destination,
            };
            self.answer(&Event {
                pod,
                ..Event::answer(transport, ends)
            });
        } else {
            self.count(otherwise);
        }
    }

    /// Whether the cache holds a contact without ports to this host.
    pub(super) fn was_contacted(&self, host: &Host, transport: Transport) -> bool {
        let hash = endpoint_hash(self.seed, host, 0, transport);
        let (index, tag) = contact_entry(hash);
        let entry = self.contacts[index];
        entry & !REPORTED_MASK == tag && entry & CONTACTED != 0
    }

    pub(super) const fn knows_protocol(&self, number: u16) -> bool {
        // A quoted port of 256 or more does not occur: protocol numbers are bytes.
        self.protocols_window[(number / 64) as usize] >> (number % 64) & 1 != 0
    }
}
