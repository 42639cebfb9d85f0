//! The ring of records: an array that the programs write round and round, and user space reads behind them.

use core::sync::atomic::AtomicU64;

/// Records in the array; a power of two.
pub const RING_RECORDS: u32 = 8192;

/// Records that may wait to be read. The rest is for programs that see the last of them free at the same
/// moment: one a CPU.
pub const RING_ROOM: u64 = RING_RECORDS as u64 - 1024;

/// How far the ring is written and read, counted from its first record ever.
///
/// A program claims the next position, writes the record there, and then its [`Record::sequence`], which
/// makes it whole. User space reads whole records in the order of their positions, and says how far it is.
///
/// [`Record::sequence`]: crate::Record::sequence
#[repr(C)]
#[derive(Debug)]
pub struct RingCursors {
    /// Positions that programs have claimed.
    pub claimed: AtomicU64,
    /// Keeps the two in cache lines of their own.
    pub between: [AtomicU64; 15],
    /// Positions that user space has read.
    pub read: AtomicU64,
}

/// What makes the record at `position` whole: never what was there a round before, nor zero.
///
/// ```
/// use agent_common::{RING_RECORDS, ring_sequence};
/// assert_ne!(ring_sequence(7), ring_sequence(7 + u64::from(RING_RECORDS)));
/// assert_ne!(ring_sequence(u64::from(u32::MAX)), 0);
/// ```
#[inline(always)]
#[must_use]
pub const fn ring_sequence(position: u64) -> u32 {
    (position as u32) << 1 | 1
}

/// Where the record at `position` lies in the array.
#[inline(always)]
#[must_use]
pub const fn ring_index(position: u64) -> u32 {
    position as u32 & (RING_RECORDS - 1)
}
