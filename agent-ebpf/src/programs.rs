//! The entry points, and what both of them need.
//!
//! No packet's fate is changed, but that of what a contained pod initiates.
#![expect(
    unsafe_code,
    reason = "section attributes, the context, and the panic handler's unreachable"
)]

mod probes;
mod received;
mod sent;

use agent_ebpf::packet::{Frame, parse};
use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};

use self::{received::Received, sent::Sent};
use crate::maps::Watched;

/// No verdict: a header does not lie in the linear part of the packet, which is to be parsed once more.
const CUT: i32 = i32::MIN;

/// Bytes that are made linear when a header does not lie in the linear part of a packet.
const HEADERS_BYTES: u32 = 256;

/// Packets the pod sent.
#[classifier]
pub(crate) fn from_pod(ctx: TcContext) -> i32 {
    let Some(watched) = Watched::of(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    let mut pulled = false;
    loop {
        let verdict = parse(&frame(&ctx), &Sent::new(&ctx, &watched, pulled));
        if pulled || verdict != CUT {
            return verdict;
        }
        pull(&ctx);
        pulled = true;
    }
}

/// Packets on their way to the pod.
#[classifier]
pub(crate) fn to_pod(ctx: TcContext) -> i32 {
    let Some(watched) = Watched::of(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    let mut pulled = false;
    loop {
        let cut = parse(&frame(&ctx), &Received::new(&ctx, &watched, pulled));
        if pulled || !cut {
            return TC_ACT_UNSPEC;
        }
        pull(&ctx);
        pulled = true;
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

/// Makes the headers linear. Where that fails they stay cut, and that is counted.
#[inline(always)]
fn pull(ctx: &TcContext) {
    let bytes = ctx.len().min(HEADERS_BYTES);
    // SAFETY: the context is the kernel's own.
    unsafe { aya_ebpf::helpers::bpf_skb_pull_data(ctx.skb.skb, bytes) };
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
