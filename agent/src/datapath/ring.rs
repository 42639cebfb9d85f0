//! The ring buffer, as something to wait for.
#![expect(
    unsafe_code,
    reason = "registering a descriptor is a promise to keep it open"
)]

use std::{fmt, io};

use aya::maps::{MapData, RingBuf};
use tokio::io::unix::AsyncFd;

/// The ring buffer. The programs wake it up for trips, and for every 256th record of a slot
/// while it is more than a quarter full.
pub(super) struct Ring(AsyncFd<RingBuf<MapData>>);

impl Ring {
    /// Must be called within a tokio runtime.
    pub(super) fn new(ring: RingBuf<MapData>) -> io::Result<Self> {
        // SAFETY: the ring buffer owns its map's descriptor, and never changes or closes it while it
        // lives; the registration owns the ring buffer.
        let registered = unsafe { AsyncFd::register(ring) };
        registered.map(Self).map_err(Into::into)
    }

    /// Waits for a trip, or for records that should not wait. Cancel safe.
    pub(super) async fn tripped(&mut self) -> io::Result<()> {
        self.0.readable_mut().await?.clear_ready();
        Ok(())
    }

    pub(super) fn records(&mut self) -> &mut RingBuf<MapData> {
        self.0.get_mut()
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}
