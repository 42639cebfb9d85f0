//! The entry points, as a table of what happens to which packet. No packet's fate is changed.
#![expect(
    unsafe_code,
    reason = "section attributes, and the panic handler's unreachable"
)]

use agent_common::{Counter, Direction};
use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};

use crate::{
    contacts,
    maps::Watched,
    packet::{self, Packet},
    volume,
};

/// Packets the pod sent.
#[classifier]
pub(crate) fn from_pod(mut ctx: TcContext) -> i32 {
    let Some(watched) = Watched::of(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    volume::sample(&watched, Direction::FromPod, &ctx);
    match packet::parse(&mut ctx) {
        Ok(Packet::Tcp(tcp)) if tcp.initiates() => contacts::initiated(&ctx, &watched, &tcp),
        Ok(Packet::Tcp(_) | Packet::Unreachable(_)) => {}
        Ok(Packet::LaterFragment) => watched.count(Counter::Fragments),
        Ok(Packet::Other) => watched.count(Counter::Other),
        Err(failure) => watched.count_failure(failure),
    }
    TC_ACT_UNSPEC
}

/// Packets on their way to the pod.
#[classifier]
pub(crate) fn to_pod(mut ctx: TcContext) -> i32 {
    let Some(watched) = Watched::of(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    volume::sample(&watched, Direction::ToPod, &ctx);
    // What the pod sends to itself, under whatever name, is nobody's answer.
    if watched.hairpinned {
        return TC_ACT_UNSPEC;
    }
    match packet::parse(&mut ctx) {
        Ok(Packet::Tcp(tcp)) if tcp.answers() => contacts::answered(&watched, &tcp),
        Ok(Packet::Tcp(tcp)) if tcp.refuses() => contacts::refused(&ctx, &watched, &tcp),
        Ok(Packet::Unreachable(quoted)) => contacts::unreachable(&ctx, &watched, &quoted),
        Ok(Packet::Tcp(_)) => {}
        Ok(Packet::LaterFragment) => watched.count(Counter::Fragments),
        Ok(Packet::Other) => watched.count(Counter::Other),
        Err(failure) => watched.count_failure(failure),
    }
    TC_ACT_UNSPEC
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
