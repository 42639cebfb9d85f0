//! What the kernel hands to a program with a packet.
#![expect(unsafe_code, reason = "the context is a pointer")]

use core::arch::asm;

use agent_ebpf::packet::Frame;
use aya_ebpf::{helpers::bpf_skb_pull_data, programs::TcContext};

/// No verdict: a header does not lie in the linear part of the packet, which is to be parsed once more.
pub(super) const CUT: i32 = i32::MIN;

/// Bytes that are made linear when a header does not lie in the linear part of a packet.
const HEADERS_BYTES: u32 = 256;

#[inline(always)]
pub(super) fn frame(ctx: &TcContext) -> Frame {
    let ether_type = (ctx.skb.protocol() as u16).to_le();
    // SAFETY: the kernel hands every classifier the bounds of its packet, and the verifier checks that
    // nothing is read beyond, nor after they changed.
    unsafe { Frame::new(ctx.data(), ctx.data_end(), ctx.len() as usize, ether_type) }
}

/// Whether the linear part is shorter than the packet.
#[inline(always)]
pub(super) fn is_cut(ctx: &TcContext) -> bool {
    ctx.data_end().saturating_sub(ctx.data()) < ctx.len() as usize
}

/// Makes the headers linear. Where that fails they stay cut, and that is counted.
#[inline(always)]
pub(super) fn pull(ctx: &TcContext) {
    let bytes = ctx.len().min(HEADERS_BYTES);
    // SAFETY: the context is the kernel's own.
    unsafe { bpf_skb_pull_data(ctx.skb.skb, bytes) };
    // The verifier of Linux 6.1 refuses a loop that closes right behind a call (`visit_insn`,
    // kernel/bpf/verifier.c), so a jump to the next instruction comes between.
    // SAFETY: it changes nothing.
    unsafe { asm!("goto +0", options(nomem, nostack)) };
}

/// Whether the packet leaves where it came in. Wherever packets come in, all of them look like that.
#[inline(always)]
pub(super) fn is_hairpinned(ctx: &TcContext) -> bool {
    // SAFETY: the kernel hands every classifier a valid context.
    let came_in = unsafe { (*ctx.skb.skb).ingress_ifindex };
    // SAFETY: as above.
    came_in == unsafe { (*ctx.skb.skb).ifindex }
}

/// Whether a packet that leaves the node was made by a socket of its own. One that is forwarded came in
/// somewhere; a tunnel forgets where (`skb_scrub_packet`), but no packet that came in has a socket by then
/// (`skb_orphan` in `ip_rcv_core`), nor has the kernel's own ARP, which it sends for pods too.
#[inline(always)]
pub(super) fn is_own(ctx: &TcContext) -> bool {
    // SAFETY: the kernel hands every classifier a valid context.
    let came_in = unsafe { (*ctx.skb.skb).ingress_ifindex };
    // SAFETY: as above.
    let socket = unsafe { (*ctx.skb.skb).__bindgen_anon_2.sk };
    came_in == 0 && !socket.is_null()
}
