//! What the programs wake user space up by.
#![expect(
    unsafe_code,
    reason = "registering a descriptor is a promise to keep it open"
)]

use std::{fmt, io};

use aya::maps::{MapData, RingBuf};
use tokio::io::unix::AsyncFd;

/// The programs ring for trips, and while more than a quarter of the ring of records waits.
pub(super) struct Wakeups(AsyncFd<RingBuf<MapData>>);

impl Wakeups {
    /// Must be called within a tokio runtime.
    pub(super) fn new(ring: RingBuf<MapData>) -> io::Result<Self> {
        // SAFETY: the ring buffer owns its map's descriptor, and never changes or closes it while it
        // lives; the registration owns the ring buffer.
        let registered = unsafe { AsyncFd::register(ring) };
        registered.map(Self).map_err(Into::into)
    }

    /// Waits for the next. Cancel safe.
    pub(super) async fn next(&mut self) -> io::Result<()> {
        self.0.readable_mut().await?.clear_ready();
        Ok(())
    }

    /// Answers those so far: to be called before what they are about is read.
    pub(super) fn clear(&mut self) {
        let wakeups = self.0.get_mut();
        while wakeups.next().is_some() {}
    }
}

impl fmt::Debug for Wakeups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeups").finish_non_exhaustive()
    }
}
