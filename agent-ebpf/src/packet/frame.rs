//! The bytes of a packet, from its Ethernet header on.
#![expect(unsafe_code, reason = "the caller answers for the addresses")]

/// A packet in memory: all of it, or the linear part of a longer one.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Bytes of the whole packet.
    pub(super) bytes: usize,
    /// In network order.
    pub(super) ether_type: u16,
}

impl Frame {
    /// A packet whose first bytes lie at `start` and before `end`, and that has `bytes` in all. The
    /// type is in network order, and that of the first tag if there is one.
    ///
    /// # Safety
    ///
    /// The bytes from `start` to `end` can be read for as long as the value, and what is read of it, lives.
    #[inline(always)]
    #[must_use]
    pub const unsafe fn new(start: usize, end: usize, bytes: usize, ether_type: u16) -> Self {
        Self {
            start,
            end,
            bytes,
            ether_type,
        }
    }
}
