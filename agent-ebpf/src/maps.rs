//! The maps, and the slot of the interface a packet passes.
#![expect(
    unsafe_code,
    reason = "maps are statics in sections, and the context is a pointer"
)]

use agent_common::{
    BUCKET_COUNT, BUCKET_WAYS, Bucket, Counter, ParseFailure, Record, RecordKind, Settings, Slot,
};
use aya_ebpf::{
    Global,
    bindings::{BPF_F_MMAPABLE, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
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
static RECORDS: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
static SKIP: PerCpuArray<u32> = PerCpuArray::with_max_entries(1, 0);

/// A power of two, so that no division is needed.
const WAKE_EVERY: u64 = 1024;

/// The secret seed of the contact cache; the loader patches it.
#[unsafe(no_mangle)]
pub(crate) static SEED: Global<u64> = Global::new(0);

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
pub(crate) struct Watched {
    /// All that is counted of it.
    pub(crate) slot: &'static Slot,
    /// The packet came in through this interface too: the pod sent it to itself.
    pub(crate) hairpinned: bool,
    index: u32,
}

impl Watched {
    /// The slot of the interface that the packet passes, if it has one.
    #[inline(always)]
    pub(crate) fn of(ctx: &TcContext) -> Option<Self> {
        // SAFETY: the kernel hands every classifier a valid context.
        let ifindex = unsafe { (*ctx.skb.skb).ifindex };
        // SAFETY: as above.
        let hairpinned = unsafe { (*ctx.skb.skb).ingress_ifindex } == ifindex;
        let bucket = BUCKETS.get(ifindex % BUCKET_COUNT)?;
        let mut way = 0;
        while way < BUCKET_WAYS {
            let word = load(&bucket.ways[way]);
            if let Some(index) = Bucket::slot_of(word, ifindex) {
                let slot = SLOTS.get(index)?;
                return Some(Self {
                    slot,
                    hairpinned,
                    index,
                });
            }
            way += 1;
        }
        None
    }

    /// Counts one.
    #[inline(always)]
    pub(crate) fn count(&self, counter: Counter) {
        fetch_add(&self.slot.counters[counter as usize], 1);
    }

    /// Counts one packet that could not be parsed.
    #[inline(always)]
    pub(crate) fn count_failure(&self, failure: ParseFailure) {
        fetch_add(&self.slot.parse_failures[failure as usize], 1);
    }

    /// Writes a record, or counts it as dropped; whether it was written.
    ///
    /// User space wakes up for trips, and for every [`WAKE_EVERY`] records of a slot, so that no pod
    /// fills the ring before the next tick. A wake-up costs fifty times a record without one. Trips are
    /// bounded by user space, which alone renews a budget, and so are exempt from the slot's cap.
    #[inline(always)]
    pub(crate) fn write(&self, mut record: Record) -> bool {
        let mut wake = record.kind == RecordKind::Trip as u8;
        if !wake {
            let cap = settings().map_or(0, |settings| load(&settings.records_per_drain));
            let offered = fetch_add(&self.slot.records, 1);
            if offered >= cap {
                self.count(Counter::RecordsDropped);
                return false;
            }
            wake = offered % WAKE_EVERY == WAKE_EVERY - 1;
        }
        record.slot = self.index;
        record.epoch = load(&self.slot.epoch) as u32;
        let Some(mut entry) = RECORDS.reserve::<Record>(0) else {
            self.count(Counter::RecordsDropped);
            return false;
        };
        entry.write(record);
        entry.submit(u64::from(if wake {
            BPF_RB_FORCE_WAKEUP
        } else {
            BPF_RB_NO_WAKEUP
        }));
        true
    }
}
