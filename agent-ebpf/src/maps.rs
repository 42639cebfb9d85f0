//! The maps, and the slot of the interface a packet passes.
#![expect(
    unsafe_code,
    reason = "maps are statics in sections, and the context is a pointer"
)]

use agent_common::{
    BUCKET_COUNT, BUCKET_WAYS, Bucket, Counter, ParseFailure, RING_RECORDS, Record, RingCursors,
    SAMPLES_BYTES, Settings, Slot,
};
use aya_ebpf::{
    Global,
    bindings::BPF_F_MMAPABLE,
    macros::map,
    maps::{Array, PerCpuArray, RingBuf},
    programs::TcContext,
};

use crate::atomic::{fetch_add, load};

#[map]
static SLOTS: Array<Slot> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static BUCKETS: Array<Bucket> = Array::with_max_entries(BUCKET_COUNT, BPF_F_MMAPABLE);
#[map]
static SETTINGS: Array<Settings> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub(crate) static RECORDS: Array<Record> = Array::with_max_entries(RING_RECORDS, BPF_F_MMAPABLE);
#[map]
pub(crate) static CURSORS: Array<RingCursors> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub(crate) static WAKEUPS: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static SAMPLES: RingBuf = RingBuf::with_byte_size(SAMPLES_BYTES, 0);
#[map]
static SKIP: PerCpuArray<u32> = PerCpuArray::with_max_entries(1, 0);

/// The secret seed of all hashes; the loader patches it.
#[unsafe(no_mangle)]
static SEED: Global<u64> = Global::new(0);

/// The secret seed.
#[inline(always)]
pub(crate) fn seed() -> u64 {
    SEED.load()
}

/// The settings; none only if the map were empty, which the loader rules out.
#[inline(always)]
pub(crate) fn settings() -> Option<&'static Settings> {
    SETTINGS.get(0)
}

/// This CPU's count of packets to skip.
#[inline(always)]
pub(crate) fn skip() -> Option<*mut u32> {
    SKIP.get_ptr_mut(0)
}

/// A watched interface.
#[derive(Clone, Copy)]
pub(crate) struct Watched {
    /// All that is counted of it.
    pub(crate) slot: &'static Slot,
    /// Of the slot.
    pub(crate) index: u32,
}

impl Watched {
    /// The slot of the interface that the packet passes, if it has one.
    #[inline(always)]
    pub(crate) fn of(ctx: &TcContext) -> Option<Self> {
        // SAFETY: the kernel hands every classifier a valid context.
        let ifindex = unsafe { (*ctx.skb.skb).ifindex };
        let bucket = BUCKETS.get(ifindex % BUCKET_COUNT)?;
        let mut way = 0;
        while way < BUCKET_WAYS {
            let word = load(&bucket.ways[way]);
            if let Some(index) = Bucket::slot_of(word, ifindex) {
                let slot = SLOTS.get(index)?;
                return Some(Self { slot, index });
            }
            way += 1;
        }
        None
    }

    /// Whether it is an uplink, and its slot the node's.
    #[inline(always)]
    pub(crate) fn is_uplink(&self) -> bool {
        load(&self.slot.uplink) != 0
    }

    /// Counts one.
    #[inline(always)]
    pub(crate) fn count(&self, counter: Counter) {
        fetch_add(&self.slot.counters[counter as usize], 1);
    }

    /// Counts one packet that could not be parsed.
    #[inline(always)]
    pub(crate) fn count_failure(&self, failure: ParseFailure) {
        if let Some(cell) = self.slot.parse_failures.get(failure as usize) {
            fetch_add(cell, 1);
        }
    }
}
