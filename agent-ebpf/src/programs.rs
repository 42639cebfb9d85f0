//! The entry points, and what both of them need.
//!
//! No packet's fate is changed, but that of what a contained pod initiates.
#![expect(
    unsafe_code,
    reason = "section attributes, and the panic handler's unreachable"
)]

mod context;
mod probes;
mod received;
mod sent;

use agent_ebpf::packet::parse;
use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};

use self::{
    context::{CUT, frame, is_own, pull},
    received::Received,
    sent::Sent,
};
use crate::maps::Watched;

// Both are inlined into what the macro makes: a frame less is what they have to spare on Linux 6.1, where
// all frames of a chain of calls must fit into 512 bytes.

/// Packets the pod sent; at an uplink, those that the node itself did.
#[classifier]
#[inline(always)]
pub(crate) fn from_pod(ctx: TcContext) -> i32 {
    let Some(watched) = Watched::of(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    if watched.is_uplink() && !is_own(&ctx) {
        return TC_ACT_UNSPEC;
    }
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

/// Packets on their way to the pod; at an uplink, to the node or through it.
#[classifier]
#[inline(always)]
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

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
