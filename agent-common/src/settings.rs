//! What user space tells the programs at run time.

use core::sync::atomic::{AtomicI64, AtomicU64};

/// Settings of both programs; changed at run time, without a reload.
#[repr(C)]
#[derive(Debug)]
pub struct Settings {
    /// Volume is counted on one packet in this many, scaled by it; 1 counts all, 0 none. A CPU reads it
    /// when its count of packets to skip is spent, so whoever changes it clears the counts too.
    pub sample_rate: AtomicU64,
    /// Records a slot may write between two drains; what it drops is counted.
    pub records_per_drain: AtomicU64,
    /// Payload samples a slot may write between two drains; 0 for none.
    pub samples_per_drain: AtomicU64,
    /// Trips that may still contain their pod until it is judged; user space sets it from its caps, so that not
    /// all pods are hit at once.
    pub holds: AtomicI64,
    /// The seed that the programs were loaded with, for the agent that takes over from this one.
    pub seed: AtomicU64,
}

/// Interfaces a [`Bucket`] has room for.
pub const BUCKET_WAYS: usize = 4;

/// Buckets in the table; interface `i` belongs to bucket `i % BUCKET_COUNT`.
pub const BUCKET_COUNT: u32 = 4096;

/// One set of a set-associative table from interface index to slot.
///
/// Interface indexes are handed out in sequence, so the modulus spreads them evenly. User space alone
/// writes the table; a full bucket is a counted refusal to watch, never an eviction.
#[repr(C)]
#[derive(Debug)]
pub struct Bucket {
    /// Interface index in the upper half, slot index plus one in the lower: one atomic word a way,
    /// 0 when free.
    pub ways: [AtomicU64; BUCKET_WAYS],
}

impl Bucket {
    /// The word that binds `ifindex` to `slot`.
    ///
    /// ```
    /// let word = agent_common::Bucket::way(7, 0);
    /// assert_eq!(agent_common::Bucket::slot_of(word, 7), Some(0));
    /// assert_eq!(agent_common::Bucket::slot_of(word, 8), None);
    /// assert_eq!(agent_common::Bucket::slot_of(0, 0), None);
    /// ```
    #[must_use]
    pub const fn way(ifindex: u32, slot: u32) -> u64 {
        (ifindex as u64) << 32 | (slot as u64 + 1)
    }

    /// The slot that `way` binds to `ifindex`, if it does.
    #[inline(always)]
    #[must_use]
    pub const fn slot_of(way: u64, ifindex: u32) -> Option<u32> {
        let slot = way as u32;
        if (way >> 32) as u32 == ifindex && slot != 0 {
            Some(slot - 1)
        } else {
            None
        }
    }
}
