//! The entry points, as tables of what happens to which packet.
//!
//! No packet's fate is changed, but that of what a contained pod initiates.
#![expect(
    unsafe_code,
    reason = "section attributes, the context, and the panic handler's unreachable"
)]

use agent_common::{Class, Counter, Direction, ParseFailure, SampleKind, Transport};
use agent_ebpf::packet::{ACK, Chunk, FIN, Frame, Ip, Packet, PortPair, RST, SYN, Tcp, Udp, parse};
use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};

use crate::{
    contacts::{Probe, is_contacted},
    heard::{hear, heard},
    initiate::initiate,
    maps::Watched,
    outcome::{answered, is_tried, refused},
    samples::{self, Payload, await_first_data, is_first_data},
    victim::{probed, refusing},
    volume,
};

/// Bytes that are made linear when a header does not lie in the linear part of a packet.
const HEADERS_BYTES: u32 = 256;

/// Packets the pod sent.
#[classifier]
pub(crate) fn from_pod(ctx: TcContext) -> i32 {
    let Some(watched) = Watched::of(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    let frame = frame(&ctx);
    let packet = parse(&frame);
    if packet.is_err() && is_cut(&ctx) {
        return pulled_from_pod(&ctx, &watched);
    }
    sent(&ctx, &watched, &frame, packet)
}

/// Packets on their way to the pod.
#[classifier]
pub(crate) fn to_pod(ctx: TcContext) -> i32 {
    let Some(watched) = Watched::of(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    let frame = frame(&ctx);
    let packet = parse(&frame);
    if packet.is_err() && is_cut(&ctx) {
        pulled_to_pod(&ctx, &watched);
    } else {
        received(&ctx, &watched, &frame, packet);
    }
    TC_ACT_UNSPEC
}

#[inline(never)]
fn pulled_from_pod(ctx: &TcContext, watched: &Watched) -> i32 {
    pull(ctx);
    let frame = frame(ctx);
    sent(ctx, watched, &frame, parse(&frame))
}

#[inline(never)]
fn pulled_to_pod(ctx: &TcContext, watched: &Watched) {
    pull(ctx);
    let frame = frame(ctx);
    received(ctx, watched, &frame, parse(&frame));
}

#[inline(always)]
fn sent(
    ctx: &TcContext,
    watched: &Watched,
    frame: &Frame,
    packet: Result<Packet, ParseFailure>,
) -> i32 {
    volume::sample(watched, Direction::FromPod, ctx, &packet);
    let mut probe = match packet {
        Ok(Packet::Tcp(tcp)) => match sent_tcp(ctx, watched, frame, &tcp) {
            Some(class) => Probe {
                tcp_flags: tcp.flags,
                tcp_words: tcp.words,
                ..probe(frame, &tcp.ip, Transport::Tcp, class, tcp.ports)
            },
            None => return TC_ACT_UNSPEC,
        },
        Ok(Packet::Udp(udp)) => {
            sample_dns(ctx, watched, frame, &udp, Direction::FromPod);
            if is_heard(
                watched,
                frame,
                &udp.ip,
                udp.ports.destination,
                Transport::Udp,
            ) {
                watched.count(Counter::Replies);
                return TC_ACT_UNSPEC;
            }
            probe(frame, &udp.ip, Transport::Udp, Class::Udp, udp.ports)
        }
        Ok(Packet::Sctp(sctp)) => {
            let class = match sctp.chunk {
                Chunk::Init => Class::SctpInit,
                Chunk::CookieEcho
                    if !is_heard(
                        watched,
                        frame,
                        &sctp.ip,
                        sctp.ports.destination,
                        Transport::Sctp,
                    ) =>
                {
                    Class::SctpCookieEcho
                }
                Chunk::Abort => {
                    refusing(watched, sctp.ports.source);
                    return TC_ACT_UNSPEC;
                }
                _ => return TC_ACT_UNSPEC,
            };
            probe(frame, &sctp.ip, Transport::Sctp, class, sctp.ports)
        }
        Ok(Packet::Tiny(ip, transport, ports)) => {
            probe(frame, &ip, transport, Class::TinyFragment, ports)
        }
        Ok(Packet::EchoRequest(ip)) => probe(frame, &ip, Transport::Icmp, Class::Echo, NO_PORTS),
        Ok(Packet::Protocol(ip, number)) => {
            if is_heard(watched, frame, &ip, number.into(), Transport::Protocol) {
                return TC_ACT_UNSPEC;
            }
            let ports = PortPair {
                source: 0,
                destination: number.into(),
            };
            probe(frame, &ip, Transport::Protocol, Class::Protocol, ports)
        }
        Ok(Packet::Solicitation(it)) if it.asks() => Probe {
            pod: it.source,
            peer: it.target,
            ..blank(Transport::Neighbour, Class::Neighbour)
        },
        other => {
            sent_other(watched, frame, other);
            return TC_ACT_UNSPEC;
        }
    };
    initiate(ctx, watched, &mut probe)
}

/// How the segment initiates, if it does.
#[inline(always)]
fn sent_tcp(ctx: &TcContext, watched: &Watched, frame: &Frame, tcp: &Tcp) -> Option<Class> {
    if tcp.flags & (ACK | SYN | RST) == ACK && tcp.payload {
        let slot = watched.slot;
        if is_first_data(
            &slot.awaiting[Direction::FromPod as usize],
            tcp.ports.source,
        ) {
            sample_first(ctx, watched, frame, tcp, Direction::FromPod);
        }
        return None;
    }
    if tcp.flags & RST != 0 {
        watched.count(Counter::ResetsSent);
        if tcp.refuses() {
            refusing(watched, tcp.ports.source);
        }
        return None;
    }
    if tcp.flags & ACK == 0 {
        return Some(tcp.class());
    }
    let heard = is_heard(
        watched,
        frame,
        &tcp.ip,
        tcp.ports.destination,
        Transport::Tcp,
    );
    match tcp.flags & (SYN | FIN) {
        _ if heard => {
            if tcp.flags & SYN != 0 {
                watched.count(Counter::Accepted);
            }
            None
        }
        0 => Some(Class::StrayAck),
        FIN => Some(Class::StrayFin),
        _ => Some(Class::StraySynAck),
    }
}

#[inline(always)]
fn sent_other(watched: &Watched, frame: &Frame, packet: Result<Packet, ParseFailure>) {
    let counter = match packet {
        Ok(Packet::Unreachable(ip, quoted)) => {
            let own = ip.source(frame) == Some(quoted.destination);
            if own && has_ports(quoted.transport) {
                refusing(watched, quoted.ports.destination);
                return;
            }
            Counter::OtherIcmp
        }
        Ok(Packet::EchoReply(_) | Packet::OtherIcmp) => Counter::OtherIcmp,
        Ok(Packet::Solicitation(_) | Packet::Advertisement(_)) => Counter::OtherNeighbour,
        Ok(Packet::LaterFragment) => Counter::LaterFragments,
        Ok(_) => Counter::OtherFrames,
        Err(failure) => return watched.count_failure(failure),
    };
    watched.count(counter);
}

#[inline(always)]
fn received(
    ctx: &TcContext,
    watched: &Watched,
    frame: &Frame,
    packet: Result<Packet, ParseFailure>,
) {
    volume::sample(watched, Direction::ToPod, ctx, &packet);
    // What the pod sends to itself, under whatever name, is nobody's answer.
    if is_hairpinned(ctx) {
        return;
    }
    match packet {
        Ok(Packet::Tcp(tcp)) => received_tcp(ctx, watched, frame, &tcp),
        Ok(Packet::Udp(udp)) => {
            sample_dns(ctx, watched, frame, &udp, Direction::ToPod);
            let newly = hears(watched, frame, &udp.ip, udp.ports.source, Transport::Udp);
            if is_tried(watched, Transport::Udp, udp.ports.source) {
                if newly {
                    answered(watched, &outcome(frame, &udp.ip, Transport::Udp, udp.ports));
                }
            } else {
                probe_of_pod(watched, frame, &udp.ip, udp.ports);
            }
        }
        Ok(Packet::Sctp(sctp)) => {
            if sctp.chunk == Chunk::Abort {
                refused(
                    ctx,
                    watched,
                    &outcome(frame, &sctp.ip, Transport::Sctp, sctp.ports),
                );
                return;
            }
            let newly = hears(watched, frame, &sctp.ip, sctp.ports.source, Transport::Sctp);
            match sctp.chunk {
                Chunk::Init => probe_of_pod(watched, frame, &sctp.ip, sctp.ports),
                Chunk::CookieEcho if newly => probe_of_pod(watched, frame, &sctp.ip, sctp.ports),
                Chunk::CookieEcho => {}
                chunk if newly || chunk == Chunk::InitAck => {
                    if is_tried(watched, Transport::Sctp, sctp.ports.source) {
                        answered(
                            watched,
                            &outcome(frame, &sctp.ip, Transport::Sctp, sctp.ports),
                        );
                    }
                }
                _ => {}
            }
        }
        Ok(Packet::Tiny(ip, _, ports)) => probe_of_pod(watched, frame, &ip, ports),
        Ok(Packet::Protocol(ip, number)) => {
            if hears(watched, frame, &ip, number.into(), Transport::Protocol)
                && is_tried(watched, Transport::Protocol, number.into())
            {
                let ports = PortPair {
                    source: number.into(),
                    destination: 0,
                };
                answered(watched, &outcome(frame, &ip, Transport::Protocol, ports));
            }
        }
        other => received_other(ctx, watched, frame, other),
    }
}

#[inline(always)]
fn received_tcp(ctx: &TcContext, watched: &Watched, frame: &Frame, tcp: &Tcp) {
    let port = tcp.ports.source;
    if tcp.flags & RST != 0 {
        watched.count(Counter::ResetsReceived);
        let refuses = tcp.refuses()
            || tcp.flags & ACK == 0 && !was_heard(watched, frame, &tcp.ip, port, Transport::Tcp);
        if refuses {
            refused(ctx, watched, &tcp_outcome(frame, tcp));
        }
        return;
    }
    let newly = hears(watched, frame, &tcp.ip, port, Transport::Tcp);
    if tcp.flags & ACK == 0 {
        probe_of_pod(watched, frame, &tcp.ip, tcp.ports);
        return;
    }
    let accepts = tcp.flags & SYN != 0;
    if (newly || accepts) && is_tried(watched, Transport::Tcp, port) {
        if accepts {
            await_first_data(watched.slot, tcp.ports.destination);
        }
        answered(watched, &tcp_outcome(frame, tcp));
    }
    if tcp.payload
        && !accepts
        && is_first_data(
            &watched.slot.awaiting[Direction::ToPod as usize],
            tcp.ports.destination,
        )
    {
        sample_first(ctx, watched, frame, tcp, Direction::ToPod);
    }
}

#[inline(always)]
fn received_other(
    ctx: &TcContext,
    watched: &Watched,
    frame: &Frame,
    packet: Result<Packet, ParseFailure>,
) {
    let counter = match packet {
        Ok(Packet::Unreachable(ip, quoted)) => {
            // Errors are sent to whom the packet was from (RFC 792); others are about somebody else's.
            let own = ip.destination(frame) == Some(quoted.source);
            let probe = Probe {
                pod: quoted.source,
                peer: quoted.destination,
                port: quoted.ports.destination,
                pod_port: quoted.ports.source,
                ..blank(quoted.transport, NO_CLASS)
            };
            if own && refused(ctx, watched, &probe) {
                return;
            }
            Counter::OtherIcmp
        }
        Ok(Packet::EchoReply(ip)) => {
            let probe = outcome(frame, &ip, Transport::Icmp, NO_PORTS);
            if is_contacted(watched, &probe.peer, Transport::Icmp) {
                return answered(watched, &probe);
            }
            Counter::OtherIcmp
        }
        Ok(Packet::Advertisement(it)) => {
            let probe = Probe {
                peer: it.target,
                ..blank(Transport::Neighbour, NO_CLASS)
            };
            if is_contacted(watched, &probe.peer, Transport::Neighbour) {
                return answered(watched, &probe);
            }
            Counter::OtherNeighbour
        }
        Ok(Packet::Solicitation(_)) => Counter::OtherNeighbour,
        Ok(Packet::EchoRequest(_)) => Counter::EchoesReceived,
        Ok(Packet::OtherIcmp) => Counter::OtherIcmp,
        Ok(Packet::LaterFragment) => Counter::LaterFragments,
        Ok(_) => Counter::OtherFrames,
        Err(failure) => return watched.count_failure(failure),
    };
    watched.count(counter);
}

const NO_PORTS: PortPair = PortPair {
    source: 0,
    destination: 0,
};
/// Outcomes have none.
const NO_CLASS: Class = Class::Syn;

#[inline(always)]
const fn has_ports(transport: Transport) -> bool {
    matches!(transport, Transport::Tcp | Transport::Udp | Transport::Sctp)
}

#[inline(always)]
const fn blank(transport: Transport, class: Class) -> Probe {
    Probe {
        pod: [0; 4],
        peer: [0; 4],
        port: 0,
        pod_port: 0,
        transport,
        class: class as u8,
        tcp_flags: 0,
        tcp_words: 0,
        spoofed: false,
        contained: false,
    }
}

/// What a packet of the pod is to be reported as. Its addresses were there when it was parsed.
#[inline(always)]
fn probe(frame: &Frame, ip: &Ip, transport: Transport, class: Class, ports: PortPair) -> Probe {
    Probe {
        pod: ip.source(frame).unwrap_or_default(),
        peer: ip.destination(frame).unwrap_or_default(),
        port: ports.destination,
        pod_port: ports.source,
        ..blank(transport, class)
    }
}

/// What a packet to the pod is to be reported as.
#[inline(always)]
fn outcome(frame: &Frame, ip: &Ip, transport: Transport, ports: PortPair) -> Probe {
    Probe {
        pod: ip.destination(frame).unwrap_or_default(),
        peer: ip.source(frame).unwrap_or_default(),
        port: ports.source,
        pod_port: ports.destination,
        ..blank(transport, NO_CLASS)
    }
}

#[inline(always)]
fn tcp_outcome(frame: &Frame, tcp: &Tcp) -> Probe {
    Probe {
        tcp_flags: tcp.flags,
        tcp_words: tcp.words,
        ..outcome(frame, &tcp.ip, Transport::Tcp, tcp.ports)
    }
}

/// Whether the destination of a packet of the pod sent to it of late.
#[inline(always)]
fn is_heard(watched: &Watched, frame: &Frame, ip: &Ip, port: u16, transport: Transport) -> bool {
    let host = ip.destination(frame).unwrap_or_default();
    heard(watched, &host, port, transport)
}

/// Whether the source of a packet to the pod sent to it before.
#[inline(always)]
fn was_heard(watched: &Watched, frame: &Frame, ip: &Ip, port: u16, transport: Transport) -> bool {
    let host = ip.source(frame).unwrap_or_default();
    heard(watched, &host, port, transport)
}

/// Remembers the source of a packet to the pod; whether it had not sent of late.
#[inline(always)]
fn hears(watched: &Watched, frame: &Frame, ip: &Ip, port: u16, transport: Transport) -> bool {
    let host = ip.source(frame).unwrap_or_default();
    hear(watched, &host, port, transport)
}

#[inline(always)]
fn probe_of_pod(watched: &Watched, frame: &Frame, ip: &Ip, ports: PortPair) {
    let source = ip.source(frame).unwrap_or_default();
    probed(watched, ports.destination, &source);
}

#[inline(always)]
fn sample_dns(ctx: &TcContext, watched: &Watched, frame: &Frame, udp: &Udp, direction: Direction) {
    if udp.ports.source == samples::DNS_PORT || udp.ports.destination == samples::DNS_PORT {
        let payload = payload(frame, &udp.ip, SampleKind::Dns, direction, udp.ports);
        let offset = udp.payload_offset() as u32;
        samples::sample(ctx, watched, &Payload { offset, ..payload });
    }
}

#[inline(always)]
fn sample_first(
    ctx: &TcContext,
    watched: &Watched,
    frame: &Frame,
    tcp: &Tcp,
    direction: Direction,
) {
    let kind = match direction {
        Direction::FromPod => SampleKind::FirstSent,
        Direction::ToPod => SampleKind::FirstReceived,
    };
    let payload = payload(frame, &tcp.ip, kind, direction, tcp.ports);
    let offset = tcp.payload_offset() as u32;
    samples::sample(ctx, watched, &Payload { offset, ..payload });
}

#[inline(always)]
fn payload(
    frame: &Frame,
    ip: &Ip,
    kind: SampleKind,
    direction: Direction,
    ports: PortPair,
) -> Payload {
    let seen = match direction {
        Direction::FromPod => probe(frame, ip, Transport::Udp, NO_CLASS, ports),
        Direction::ToPod => outcome(frame, ip, Transport::Udp, ports),
    };
    Payload {
        kind,
        direction,
        pod: seen.pod,
        peer: seen.peer,
        pod_port: seen.pod_port,
        port: seen.port,
        offset: 0,
        end: ip.end() as u32,
    }
}

#[inline(always)]
fn frame(ctx: &TcContext) -> Frame {
    let ether_type = (ctx.skb.protocol() as u16).to_le();
    // SAFETY: the kernel hands every classifier the bounds of its packet, and the verifier checks that
    // nothing is read beyond, nor after they changed.
    unsafe { Frame::new(ctx.data(), ctx.data_end(), ctx.len() as usize, ether_type) }
}

/// Whether the linear part is shorter than the packet.
#[inline(always)]
fn is_cut(ctx: &TcContext) -> bool {
    ctx.data_end().saturating_sub(ctx.data()) < ctx.len() as usize
}

/// Makes the headers linear; where that fails, they stay cut.
#[inline(always)]
fn pull(ctx: &TcContext) {
    let bytes = ctx.len().min(HEADERS_BYTES);
    if ctx.pull_data(bytes).is_err() {
        // Parsing fails once more, and counts it.
    }
}

#[inline(always)]
fn is_hairpinned(ctx: &TcContext) -> bool {
    // SAFETY: the kernel hands every classifier a valid context.
    let came_in = unsafe { (*ctx.skb.skb).ingress_ifindex };
    // SAFETY: as above.
    came_in == unsafe { (*ctx.skb.skb).ifindex }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
