//! Traffic volume, estimated from one packet in N.
#![expect(unsafe_code, reason = "the skip counter and the context are pointers")]

use agent_common::{Direction, VolumeClass};
use aya_ebpf::{helpers::bpf_get_prandom_u32, programs::TcContext};

use crate::{
    atomic::{fetch_add, load},
    maps::{Watched, settings, skip},
};

/// Counts the packet if its turn has come, scaled by the sample rate.
///
/// A skip counter for each CPU; the next skip is drawn evenly from 1 to 2N - 1, so that its mean is N
/// and no periodic traffic can hide between the samples.
#[inline(always)]
pub(crate) fn sample(watched: &Watched, direction: Direction, ctx: &TcContext, class: VolumeClass) {
    let Some(skip) = skip() else { return };
    // SAFETY: the map holds the counter, and no other program runs on this CPU meanwhile.
    let left = unsafe { *skip };
    if left > 1 {
        // SAFETY: as above.
        unsafe { *skip = left - 1 };
        return;
    }
    let rate = settings().map_or(0, |settings| load(&settings.sample_rate));
    let next = match rate {
        0 => u32::MAX,
        1 => 1,
        // SAFETY: the helper has no preconditions.
        _ => 1 + unsafe { bpf_get_prandom_u32() } % (2 * rate as u32 - 1),
    };
    // SAFETY: as above.
    unsafe { *skip = next };
    if rate == 0 {
        return;
    }
    let volume = &watched.slot.volume[direction as usize][class as usize];
    fetch_add(&volume.packets, u64::from(segments(ctx)) * rate);
    fetch_add(&volume.bytes, u64::from(ctx.len()) * rate);
}

/// How many packets it stands for. Nobody has counted the segments of a super-packet that comes from outside
/// the kernel, as from a virtual machine (SKB_GSO_DODGY): they are estimated by all bytes of the packet.
#[inline(always)]
fn segments(ctx: &TcContext) -> u32 {
    // SAFETY: the kernel hands every classifier a valid context.
    let segments = unsafe { (*ctx.skb.skb).gso_segs };
    // SAFETY: as above.
    let bytes = unsafe { (*ctx.skb.skb).gso_size };
    if segments == 0 && bytes != 0 {
        return (ctx.len() / bytes).max(1);
    }
    segments.max(1)
}
