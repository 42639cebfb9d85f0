//! The wall clock.

use std::time::{Duration, SystemTime};

use crate::datapath::monotonic;

/// More than clock_gettime takes, less than anyone sets a clock by.
const CLOCK_STEP: Duration = Duration::from_millis(10);

/// The wall clock, told from the monotonic one: both run at the same rate until somebody sets the former.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    /// The wall time at which the monotonic clock was zero.
    pub(super) boot: SystemTime,
}

impl WallClock {
    pub(super) fn read() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this loop owns the wall clock")]
        let now = SystemTime::now();
        let since_boot = Duration::from_nanos(monotonic().nanoseconds());
        Self {
            boot: now
                .checked_sub(since_boot)
                .unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }

    /// The clock now; the same as before unless it was set, so that one packet has one time.
    pub(super) fn again(self) -> Self {
        let read = Self::read();
        let step = read
            .boot
            .duration_since(self.boot)
            .unwrap_or_else(|early| early.duration());
        if step > CLOCK_STEP { read } else { self }
    }

    /// The wall time at which the monotonic clock was zero, since 1970.
    pub(super) fn origin(self) -> Duration {
        self.boot
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    }

    pub(super) fn now(self) -> SystemTime {
        self.boot + Duration::from_nanos(monotonic().nanoseconds())
    }
}
