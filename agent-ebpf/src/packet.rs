//! What a packet is, as far as counting needs to know.

mod headers;
mod icmp;
mod ip;
mod tcp;

use agent_common::ParseFailure;
use aya_ebpf::programs::TcContext;

use self::ip::Payload;
pub(crate) use self::{icmp::Quoted, tcp::Tcp};

/// Bytes that are made linear when a header does not lie in the linear part of a packet.
const HEADERS_BYTES: u32 = 256;

/// What a packet is.
pub(crate) enum Packet {
    /// A TCP segment, its first fragment included.
    Tcp(Tcp),
    /// An ICMP unreachable that quotes a TCP segment.
    Unreachable(Quoted),
    /// A fragment but the first.
    LaterFragment,
    /// Anything else.
    Other,
}

/// Parses a packet from its Ethernet header on.
///
/// # Errors
///
/// When a header is cut or contradicts itself.
#[inline(always)]
pub(crate) fn parse(ctx: &mut TcContext) -> Result<Packet, ParseFailure> {
    match dissect(ctx) {
        Err(failure) => {
            let linear = ctx.data_end().saturating_sub(ctx.data());
            if linear < ctx.len() as usize && ctx.pull_data(ctx.len().min(HEADERS_BYTES)).is_ok() {
                dissect(ctx)
            } else {
                Err(failure)
            }
        }
        parsed => parsed,
    }
}

#[inline(always)]
fn dissect(ctx: &TcContext) -> Result<Packet, ParseFailure> {
    match ip::parse(ctx)? {
        Payload::Tcp(ip) => tcp::parse(ctx, &ip).map(Packet::Tcp),
        Payload::Icmp(ip) => Ok(icmp::parse(ctx, &ip)?.map_or(Packet::Other, Packet::Unreachable)),
        Payload::LaterFragment => Ok(Packet::LaterFragment),
        Payload::Other => Ok(Packet::Other),
    }
}
