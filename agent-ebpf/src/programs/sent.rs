//! What happens to each kind of packet the pod sent.

use agent_common::{Class, Counter, Direction, ParseFailure, SampleKind, Transport, VolumeClass};
use agent_ebpf::packet::{
    ACK, Chunk, FIN, Frame, Ip, Neighbour, PortPair, Quoted, RST, SYN, Sctp, Tcp, Udp, Verdicts,
};
use aya_ebpf::{bindings::TC_ACT_UNSPEC, programs::TcContext};

use super::{
    context::{CUT, is_cut},
    probes::{NO_PORTS, blank, contact, payload, volume_of, volume_of_neighbour},
};
use crate::{
    contacts::Probe,
    heard::heard,
    initiate::initiate,
    maps::Watched,
    samples::{self, DNS_PORT, is_first_data},
    victim::refusing,
    volume,
};

/// Packets the pod sent.
pub(super) struct Sent<'a> {
    ctx: &'a TcContext,
    watched: &'a Watched,
    /// Their headers have been made linear.
    pulled: bool,
}

impl<'a> Sent<'a> {
    #[inline(always)]
    pub(super) const fn new(ctx: &'a TcContext, watched: &'a Watched, pulled: bool) -> Self {
        Self {
            ctx,
            watched,
            pulled,
        }
    }

    #[inline(always)]
    fn volume(&self, class: VolumeClass) {
        volume::sample(self.watched, Direction::FromPod, self.ctx, class);
    }

    #[inline(always)]
    fn count(&self, counter: Counter) -> i32 {
        self.watched.count(counter);
        TC_ACT_UNSPEC
    }

    #[inline(always)]
    fn initiate(&self, mut probe: Probe) -> i32 {
        initiate(self.ctx, self.watched, &mut probe)
    }

    /// Whether the destination sent to the pod of late.
    #[inline(always)]
    fn heard(&self, frame: &Frame, ip: &Ip, port: u16, transport: Transport) -> bool {
        let host = ip.destination(frame).unwrap_or_default();
        heard(self.watched, &host, port, transport)
    }

    #[inline(always)]
    fn refusing(&self, port: u16) -> i32 {
        refusing(self.watched, port);
        TC_ACT_UNSPEC
    }

    #[inline(always)]
    fn data(&self, frame: &Frame, tcp: &Tcp) -> i32 {
        let awaiting = &self.watched.slot.awaiting[Direction::FromPod as usize];
        if is_first_data(awaiting, tcp.ports.source) {
            let why = (SampleKind::FirstSent, Direction::FromPod);
            let payload = payload(frame, &tcp.ip, why, tcp.ports, tcp.payload_offset());
            samples::sample(self.ctx, self.watched, &payload);
        }
        TC_ACT_UNSPEC
    }

    #[inline(always)]
    fn initiate_tcp(&self, frame: &Frame, tcp: &Tcp, class: Class) -> i32 {
        self.initiate(Probe {
            tcp_flags: tcp.flags,
            tcp_words: tcp.words,
            ..contact(frame, &tcp.ip, Transport::Tcp, class, tcp.ports)
        })
    }
}

impl Verdicts for Sent<'_> {
    type Verdict = i32;

    #[inline(always)]
    fn tcp(&self, frame: &Frame, tcp: &Tcp) -> i32 {
        self.volume(VolumeClass::Tcp);
        if tcp.flags & (ACK | SYN | RST) == ACK && tcp.payload {
            return self.data(frame, tcp);
        }
        if tcp.flags & RST != 0 {
            self.count(Counter::ResetsSent);
            return if tcp.refuses() {
                self.refusing(tcp.ports.source)
            } else {
                TC_ACT_UNSPEC
            };
        }
        let class = if tcp.flags & ACK == 0 {
            tcp.class()
        } else if self.heard(frame, &tcp.ip, tcp.ports.destination, Transport::Tcp) {
            return if tcp.flags & SYN == 0 {
                TC_ACT_UNSPEC
            } else {
                self.count(Counter::Accepted)
            };
        } else {
            match tcp.flags & (SYN | FIN) {
                0 => Class::StrayAck,
                FIN => Class::StrayFin,
                _ => Class::StraySynAck,
            }
        };
        self.initiate_tcp(frame, tcp, class)
    }

    #[inline(always)]
    fn udp(&self, frame: &Frame, udp: &Udp) -> i32 {
        self.volume(VolumeClass::Udp);
        if udp.ports.source == DNS_PORT || udp.ports.destination == DNS_PORT {
            let why = (SampleKind::Dns, Direction::FromPod);
            let payload = payload(frame, &udp.ip, why, udp.ports, udp.payload_offset());
            samples::sample(self.ctx, self.watched, &payload);
        }
        if self.heard(frame, &udp.ip, udp.ports.destination, Transport::Udp) {
            return self.count(Counter::Replies);
        }
        self.initiate(contact(
            frame,
            &udp.ip,
            Transport::Udp,
            Class::Udp,
            udp.ports,
        ))
    }

    #[inline(always)]
    fn sctp(&self, frame: &Frame, sctp: &Sctp) -> i32 {
        self.volume(VolumeClass::Other);
        let class = match sctp.chunk {
            Chunk::Init => Class::SctpInit,
            Chunk::CookieEcho
                if !self.heard(frame, &sctp.ip, sctp.ports.destination, Transport::Sctp) =>
            {
                Class::SctpCookieEcho
            }
            Chunk::Abort => return self.refusing(sctp.ports.source),
            _ => return TC_ACT_UNSPEC,
        };
        self.initiate(contact(frame, &sctp.ip, Transport::Sctp, class, sctp.ports))
    }

    #[inline(always)]
    fn tiny(&self, frame: &Frame, ip: &Ip, transport: Transport, ports: PortPair) -> i32 {
        self.volume(volume_of(transport));
        self.initiate(contact(frame, ip, transport, Class::TinyFragment, ports))
    }

    #[inline(always)]
    fn echo_request(&self, frame: &Frame, ip: &Ip) -> i32 {
        self.volume(VolumeClass::Icmp);
        self.initiate(contact(frame, ip, Transport::Icmp, Class::Echo, NO_PORTS))
    }

    #[inline(always)]
    fn echo_reply(&self, _frame: &Frame, _ip: &Ip) -> i32 {
        self.other_icmp()
    }

    #[inline(always)]
    fn unreachable(&self, frame: &Frame, ip: &Ip, quoted: &Quoted) -> i32 {
        self.volume(VolumeClass::Icmp);
        let has_ports = matches!(
            quoted.transport,
            Transport::Tcp | Transport::Udp | Transport::Sctp
        );
        if has_ports && ip.source(frame) == Some(quoted.destination) {
            self.refusing(quoted.ports.destination)
        } else {
            self.count(Counter::OtherIcmp)
        }
    }

    #[inline(always)]
    fn other_icmp(&self) -> i32 {
        self.volume(VolumeClass::Icmp);
        self.count(Counter::OtherIcmp)
    }

    #[inline(always)]
    fn solicitation(&self, neighbour: &Neighbour) -> i32 {
        self.volume(volume_of_neighbour(neighbour));
        if !neighbour.asks() {
            return self.count(Counter::OtherNeighbour);
        }
        self.initiate(Probe {
            pod: neighbour.source,
            peer: neighbour.target,
            ..blank(Transport::Neighbour, Class::Neighbour)
        })
    }

    #[inline(always)]
    fn advertisement(&self, neighbour: &Neighbour) -> i32 {
        self.volume(volume_of_neighbour(neighbour));
        self.count(Counter::OtherNeighbour)
    }

    #[inline(always)]
    fn protocol(&self, frame: &Frame, ip: &Ip, number: u8) -> i32 {
        self.volume(VolumeClass::Other);
        if self.heard(frame, ip, number.into(), Transport::Protocol) {
            return TC_ACT_UNSPEC;
        }
        let ports = PortPair {
            source: 0,
            destination: number.into(),
        };
        self.initiate(contact(
            frame,
            ip,
            Transport::Protocol,
            Class::Protocol,
            ports,
        ))
    }

    #[inline(always)]
    fn later_fragment(&self) -> i32 {
        self.volume(VolumeClass::Other);
        self.count(Counter::LaterFragments)
    }

    #[inline(always)]
    fn other_frame(&self) -> i32 {
        self.volume(VolumeClass::Other);
        self.count(Counter::OtherFrames)
    }

    #[inline(always)]
    fn failed(&self, failure: ParseFailure) -> i32 {
        if !self.pulled && is_cut(self.ctx) {
            return CUT;
        }
        self.volume(VolumeClass::Other);
        self.watched.count_failure(failure);
        TC_ACT_UNSPEC
    }
}
