//! Samples of payload: DNS, and the first data of connections the pod opened.
#![expect(
    unsafe_code,
    reason = "kernel helpers, and a ring buffer entry is filled in place"
)]

use agent_common::{AWAITING_WORDS, Counter, Direction, SAMPLE_BYTES, Sample, SampleKind, Slot};
use aya_ebpf::{
    bindings::BPF_RB_NO_WAKEUP,
    helpers::generated::{bpf_ktime_get_coarse_ns, bpf_skb_load_bytes},
    programs::TcContext,
};

use core::{arch::asm, sync::atomic::AtomicU64};

use crate::{
    atomic::{fetch_add, fetch_and, fetch_or, load},
    contacts::bytes,
    maps::{SAMPLES, Watched, settings},
};

/// DNS, over UDP.
pub(crate) const DNS_PORT: u16 = 53;

/// A payload that may be sampled, seen from the pod.
#[derive(Clone, Copy)]
pub(crate) struct Payload {
    pub(crate) kind: SampleKind,
    pub(crate) direction: Direction,
    pub(crate) pod: [u32; 4],
    pub(crate) peer: [u32; 4],
    pub(crate) pod_port: u16,
    pub(crate) port: u16,
    pub(crate) offset: u32,
    pub(crate) end: u32,
}

/// A connection that the pod opened was accepted: its first data is to be sampled, each way.
#[inline(always)]
pub(crate) fn await_first_data(slot: &Slot, pod_port: u16) {
    if settings().map_or(0, |settings| load(&settings.samples_per_drain)) == 0 {
        return;
    }
    let (word, bit) = locate(pod_port);
    for awaiting in &slot.awaiting {
        fetch_or(&awaiting[word], bit);
    }
}

/// Whether data on this port of the pod is the first of a connection, and no longer from now on.
#[inline(always)]
pub(crate) fn is_first_data(awaiting: &[AtomicU64; AWAITING_WORDS], pod_port: u16) -> bool {
    let (word, bit) = locate(pod_port);
    load(&awaiting[word]) & bit != 0 && fetch_and(&awaiting[word], !bit) & bit != 0
}

#[inline(always)]
const fn locate(pod_port: u16) -> (usize, u64) {
    (
        (pod_port as usize >> 6) & (AWAITING_WORDS - 1),
        1 << (pod_port & 63),
    )
}

/// Writes a sample, unless the slot has written its share since the last drain.
#[inline(never)]
pub(crate) fn sample(ctx: &TcContext, watched: &Watched, payload: &Payload) {
    let cap = settings().map_or(0, |settings| load(&settings.samples_per_drain));
    if cap == 0 || payload.end <= payload.offset {
        return;
    }
    if fetch_add(&watched.slot.samples, 1) >= cap {
        watched.count(Counter::SamplesDropped);
        return;
    }
    let Some(mut entry) = SAMPLES.reserve::<Sample>(0) else {
        watched.count(Counter::SamplesDropped);
        return;
    };
    let payload_bytes = payload.end - payload.offset;
    let whole = ctx.len().saturating_sub(payload.offset).min(payload_bytes);
    let length = whole.min(SAMPLE_BYTES as u32);
    // SAFETY: the entry holds one sample, which is made of integers; all of them are written below.
    let sample = unsafe { &mut *entry.as_mut_ptr() };
    // SAFETY: the helper has no preconditions.
    sample.time_ns = unsafe { bpf_ktime_get_coarse_ns() };
    sample.slot = watched.index;
    sample.epoch = load(&watched.slot.epoch) as u32;
    sample.pod = bytes(payload.pod);
    sample.peer = bytes(payload.peer);
    sample.port = payload.port;
    sample.pod_port = payload.pod_port;
    sample.kind = payload.kind as u8;
    sample.direction = payload.direction as u8;
    sample.length = length as u16;
    sample.payload_bytes = payload_bytes;
    sample.reserved = 0;
    let words = (&raw mut sample.payload).cast::<u64>();
    let mut word = 0;
    // Written one by one, or the compiler calls a function that does it byte by byte.
    while word < SAMPLE_BYTES / 8 {
        // SAFETY: the payload lies at a multiple of eight and has so many words.
        let cell = unsafe { words.add(word) };
        // SAFETY: as above.
        unsafe { cell.write_volatile(0) };
        word += 1;
    }
    // The verifier wants a length from 1 to the size. That of Linux 6.1 learns it of the compared register
    // alone, and of no comparison with zero: one less is compared, and no copy of it.
    let mut less = u64::from(length).wrapping_sub(1);
    // SAFETY: changes nothing but its operand, and by that only what stands for an empty payload.
    unsafe { asm!("{0} &= 255", inout(reg) less, options(nomem, nostack)) };
    if less < SAMPLE_BYTES as u64 {
        // SAFETY: adds one to its operand, which is small.
        unsafe { asm!("{0} += 1", inout(reg) less, options(nomem, nostack)) };
        let (from, length) = (ctx.skb.skb.cast(), less as u32);
        // SAFETY: the payload has room for the length, and the helper checks the bounds of the packet.
        unsafe { bpf_skb_load_bytes(from, payload.offset, words.cast(), length) };
    }
    entry.submit(u64::from(BPF_RB_NO_WAKEUP));
}
