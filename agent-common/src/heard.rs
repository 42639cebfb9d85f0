//! Which endpoints sent to the pod of late: a reply to one of them initiates nothing.

use core::sync::atomic::AtomicU64;

/// An ageing Bloom filter of endpoints, each with all its bits in one word (Putze, Sanders and Singler,
/// "Cache-, Hash- and Space-Efficient Bloom Filters", 2007).
///
/// It never forgets an endpoint early, so no reply is taken for a probe; when it is full, probes are taken
/// for replies. Packets enter the recent filter and are looked for in both. At the end of a turn user space
/// moves what is in the recent one to the older one, so that an endpoint is remembered for one to two
/// turns.
#[repr(C)]
#[derive(Debug)]
pub struct Heard<const WORDS: usize> {
    /// Of this turn.
    pub recent: [AtomicU64; WORDS],
    /// Of the turn before.
    pub older: [AtomicU64; WORDS],
}

/// The word of a filter of `words` (a power of two, at most 1024), and the bits, of an endpoint
/// with this [`endpoint_hash`](crate::endpoint_hash).
#[inline(always)]
#[must_use]
pub const fn heard_bits(words: usize, hash: u64) -> (usize, u64) {
    let word = (hash >> 54) as usize & (words - 1);
    let bits = 1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63);
    (word, bits)
}
