//! The hour of the day and the day of the week, in UTC.

use std::time::Duration;

use crate::{Time, limits::HOUR};

pub(super) const HOURS: usize = 24;
pub(super) const DAYS: usize = 7;

/// Where time begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calendar {
    /// The wall time of the origin of [`Time`], since 1970.
    pub(crate) origin: Duration,
}

impl Calendar {
    /// Hours since 1970.
    pub(crate) const fn hour(self, now: Time) -> u64 {
        self.wall(now).as_secs() / HOUR.as_secs()
    }

    /// When the hour ends.
    pub(crate) fn hour_end(self, now: Time) -> Time {
        let ends = Duration::from_secs((self.hour(now) + 1) * HOUR.as_secs());
        now + ends.saturating_sub(self.wall(now))
    }

    const fn wall(self, now: Time) -> Duration {
        self.origin
            .saturating_add(Duration::from_nanos(now.nanoseconds()))
    }
}

/// The hour of the day, and the day of the week from Sunday on, of an hour since 1970, which began on a
/// Thursday.
pub(super) const fn place(hour: u64) -> (usize, usize) {
    let days = hour / HOURS as u64;
    (
        (hour % HOURS as u64) as usize,
        ((days + 4) % DAYS as u64) as usize,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_are_those_of_the_wall() {
        // 2026-11-24 was a Tuesday; 18:55:14 UTC.
        let wall = Duration::from_secs(1_795_546_514);
        for origin in [Duration::ZERO, Duration::from_secs(1_795_000_000), wall] {
            let calendar = Calendar { origin };
            let now = Time::default() + (wall - origin);
            assert_eq!(place(calendar.hour(now)), (18, 2), "{origin:?}");
            let ends = calendar.hour_end(now);
            assert_eq!(ends.since(now), Duration::from_secs(4 * 60 + 46));
            assert_eq!(calendar.hour(ends), calendar.hour(now) + 1);
            assert_eq!(calendar.hour_end(ends).since(ends), HOUR);
        }
    }
}
