//! An exact set of 65,536 ports as a bitmap.

use core::sync::atomic::AtomicU64;

/// Words of 64 bits that a [`PortSet`] takes.
pub const PORT_WORDS: usize = 65_536 / 64;

/// An exact set of ports: bit `port % 64` of word `port / 64`.
#[repr(C)]
#[derive(Debug)]
pub struct PortSet {
    /// The bitmap.
    pub words: [AtomicU64; PORT_WORDS],
}

impl PortSet {
    /// The word that holds `port`, and the mask of its bit.
    ///
    /// ```
    /// assert_eq!(agent_common::PortSet::locate(443), (6, 1 << 59));
    /// assert_eq!(agent_common::PortSet::locate(65_535), (1023, 1 << 63));
    /// ```
    #[inline(always)]
    #[must_use]
    pub const fn locate(port: u16) -> (usize, u64) {
        ((port >> 6) as usize, 1 << (port & 63))
    }
}

/// Two sets with two jobs.
#[repr(C)]
#[derive(Debug)]
pub struct Ports {
    /// Seen since the last drain, which swaps its words for zero.
    pub fresh: PortSet,
    /// Already known; user space clears bits as they age out.
    pub window: PortSet,
}
