//! What happens to each kind of packet on its way to the pod.

use agent_common::{Counter, Direction, ParseFailure, SampleKind, Transport, VolumeClass};
use agent_ebpf::packet::{
    ACK, Chunk, Frame, Ip, Neighbour, PortPair, Quoted, RST, SYN, Sctp, Tcp, Udp, Verdicts,
};
use aya_ebpf::programs::TcContext;

use super::{
    context::{is_cut, is_hairpinned},
    probes::{
        NO_CLASS, NO_PORTS, blank, outcome, payload, tcp_outcome, volume_of, volume_of_neighbour,
    },
};
use crate::{
    contacts::{Probe, is_contacted},
    heard::{hear, heard},
    maps::Watched,
    outcome::{answered, is_tried, refused},
    samples::{self, DNS_PORT, await_first_data, is_first_data},
    victim::probed,
    volume,
};

/// Packets to the pod. The verdict is whether a header does not lie in the linear part of the packet, which
/// is to be parsed once more.
pub(super) struct Received<'a> {
    ctx: &'a TcContext,
    watched: &'a Watched,
    /// Their headers have been made linear.
    pulled: bool,
}

impl<'a> Received<'a> {
    #[inline(always)]
    pub(super) const fn new(ctx: &'a TcContext, watched: &'a Watched, pulled: bool) -> Self {
        Self {
            ctx,
            watched,
            pulled,
        }
    }

    /// Counts volume; whether that is all. What the pod sends to itself, under whatever name, is nobody's
    /// answer.
    #[inline(always)]
    fn is_all(&self, class: VolumeClass) -> bool {
        volume::sample(self.watched, Direction::ToPod, self.ctx, class);
        is_hairpinned(self.ctx) && !self.watched.is_uplink()
    }

    #[inline(always)]
    fn count(&self, class: VolumeClass, counter: Counter) {
        if !self.is_all(class) {
            self.watched.count(counter);
        }
    }

    /// Remembers the source; whether it had not sent of late.
    #[inline(always)]
    fn hears(&self, frame: &Frame, ip: &Ip, port: u16, transport: Transport) -> bool {
        let host = ip.source(frame).unwrap_or_default();
        hear(self.watched, &host, port, transport)
    }

    #[inline(always)]
    fn probed(&self, frame: &Frame, ip: &Ip, ports: PortPair) {
        let source = ip.source(frame).unwrap_or_default();
        probed(self.watched, ports.destination, &source);
    }

    #[inline(always)]
    fn reset(&self, frame: &Frame, tcp: &Tcp) {
        self.watched.count(Counter::ResetsReceived);
        let unheard = || {
            let host = tcp.ip.source(frame).unwrap_or_default();
            !heard(self.watched, &host, tcp.ports.source, Transport::Tcp)
        };
        if tcp.refuses() || tcp.flags & ACK == 0 && unheard() {
            refused(self.ctx, self.watched, &tcp_outcome(frame, tcp));
        }
    }
}

impl Verdicts for Received<'_> {
    type Verdict = bool;

    #[inline(always)]
    fn tcp(&self, frame: &Frame, tcp: &Tcp) -> bool {
        if self.is_all(VolumeClass::Tcp) {
            return false;
        }
        if tcp.flags & RST != 0 {
            self.reset(frame, tcp);
            return false;
        }
        let newly = self.hears(frame, &tcp.ip, tcp.ports.source, Transport::Tcp);
        if tcp.flags & ACK == 0 {
            self.probed(frame, &tcp.ip, tcp.ports);
            return false;
        }
        let accepts = tcp.flags & SYN != 0;
        if (newly || accepts) && is_tried(self.watched, Transport::Tcp, tcp.ports.source) {
            if accepts {
                await_first_data(self.watched.slot, tcp.ports.destination);
            }
            answered(self.watched, &tcp_outcome(frame, tcp));
        }
        let awaiting = &self.watched.slot.awaiting[Direction::ToPod as usize];
        if tcp.payload && !accepts && is_first_data(awaiting, tcp.ports.destination) {
            let why = (SampleKind::FirstReceived, Direction::ToPod);
            let payload = payload(frame, &tcp.ip, why, tcp.ports, tcp.payload_offset());
            samples::sample(self.ctx, self.watched, &payload);
        }
        false
    }

    #[inline(always)]
    fn udp(&self, frame: &Frame, udp: &Udp) -> bool {
        if self.is_all(VolumeClass::Udp) {
            return false;
        }
        if udp.ports.source == DNS_PORT || udp.ports.destination == DNS_PORT {
            let why = (SampleKind::Dns, Direction::ToPod);
            let payload = payload(frame, &udp.ip, why, udp.ports, udp.payload_offset());
            samples::sample(self.ctx, self.watched, &payload);
        }
        let newly = self.hears(frame, &udp.ip, udp.ports.source, Transport::Udp);
        if !is_tried(self.watched, Transport::Udp, udp.ports.source) {
            self.probed(frame, &udp.ip, udp.ports);
        } else if newly {
            let probe = outcome(frame, &udp.ip, Transport::Udp, udp.ports);
            answered(self.watched, &probe);
        }
        false
    }

    #[inline(always)]
    fn sctp(&self, frame: &Frame, sctp: &Sctp) -> bool {
        if self.is_all(VolumeClass::Other) {
            return false;
        }
        let probe = outcome(frame, &sctp.ip, Transport::Sctp, sctp.ports);
        if sctp.chunk == Chunk::Abort {
            refused(self.ctx, self.watched, &probe);
            return false;
        }
        let newly = self.hears(frame, &sctp.ip, sctp.ports.source, Transport::Sctp);
        match sctp.chunk {
            Chunk::Init => self.probed(frame, &sctp.ip, sctp.ports),
            Chunk::CookieEcho => {
                if newly {
                    self.probed(frame, &sctp.ip, sctp.ports);
                }
            }
            chunk => {
                if (newly || chunk == Chunk::InitAck)
                    && is_tried(self.watched, Transport::Sctp, sctp.ports.source)
                {
                    answered(self.watched, &probe);
                }
            }
        }
        false
    }

    #[inline(always)]
    fn tiny(&self, frame: &Frame, ip: &Ip, transport: Transport, ports: PortPair) -> bool {
        if !self.is_all(volume_of(transport)) {
            self.probed(frame, ip, ports);
        }
        false
    }

    #[inline(always)]
    fn echo_request(&self, _frame: &Frame, _ip: &Ip) -> bool {
        self.count(VolumeClass::Icmp, Counter::EchoesReceived);
        false
    }

    #[inline(always)]
    fn echo_reply(&self, frame: &Frame, ip: &Ip) -> bool {
        if self.is_all(VolumeClass::Icmp) {
            return false;
        }
        let probe = outcome(frame, ip, Transport::Icmp, NO_PORTS);
        if is_contacted(self.watched, &probe.peer, Transport::Icmp) {
            answered(self.watched, &probe);
        } else {
            self.watched.count(Counter::OtherIcmp);
        }
        false
    }

    #[inline(always)]
    fn unreachable(&self, frame: &Frame, ip: &Ip, quoted: &Quoted) -> bool {
        if self.is_all(VolumeClass::Icmp) {
            return false;
        }
        // Errors are sent to whom the packet was from (RFC 792); others are about somebody else's.
        let own = ip.destination(frame) == Some(quoted.source);
        let probe = Probe {
            pod: quoted.source,
            peer: quoted.destination,
            port: quoted.ports.destination,
            pod_port: quoted.ports.source,
            ..blank(quoted.transport, NO_CLASS)
        };
        if !own || !refused(self.ctx, self.watched, &probe) {
            self.watched.count(Counter::OtherIcmp);
        }
        false
    }

    #[inline(always)]
    fn other_icmp(&self) -> bool {
        self.count(VolumeClass::Icmp, Counter::OtherIcmp);
        false
    }

    #[inline(always)]
    fn solicitation(&self, neighbour: &Neighbour) -> bool {
        self.count(volume_of_neighbour(neighbour), Counter::OtherNeighbour);
        false
    }

    #[inline(always)]
    fn advertisement(&self, neighbour: &Neighbour) -> bool {
        if self.is_all(volume_of_neighbour(neighbour)) {
            return false;
        }
        let probe = Probe {
            peer: neighbour.target,
            ..blank(Transport::Neighbour, NO_CLASS)
        };
        if is_contacted(self.watched, &probe.peer, Transport::Neighbour) {
            answered(self.watched, &probe);
        } else {
            self.watched.count(Counter::OtherNeighbour);
        }
        false
    }

    #[inline(always)]
    fn protocol(&self, frame: &Frame, ip: &Ip, number: u8) -> bool {
        if self.is_all(VolumeClass::Other) {
            return false;
        }
        if self.hears(frame, ip, number.into(), Transport::Protocol)
            && is_tried(self.watched, Transport::Protocol, number.into())
        {
            let ports = PortPair {
                source: number.into(),
                destination: 0,
            };
            answered(
                self.watched,
                &outcome(frame, ip, Transport::Protocol, ports),
            );
        }
        false
    }

    #[inline(always)]
    fn later_fragment(&self) -> bool {
        self.count(VolumeClass::Other, Counter::LaterFragments);
        false
    }

    #[inline(always)]
    fn other_frame(&self) -> bool {
        self.count(VolumeClass::Other, Counter::OtherFrames);
        false
    }

    #[inline(always)]
    fn failed(&self, failure: ParseFailure) -> bool {
        if !self.pulled && is_cut(self.ctx) {
            return true;
        }
        if !self.is_all(VolumeClass::Other) {
            self.watched.count_failure(failure);
        }
        false
    }
}
