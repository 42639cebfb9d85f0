//! Points in time, as events tell them.

use std::time::{Duration, SystemTime};

use api::v1::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// Nanoseconds since 1970; saturates.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Time(i64);

impl Time {
    pub(super) fn since(self, earlier: Self) -> Duration {
        let elapsed = self.0.saturating_sub(earlier.0);
        Duration::from_nanos(u64::try_from(elapsed).unwrap_or(0))
    }

    pub(crate) fn before(self, duration: Duration) -> Self {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(nanoseconds))
    }
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        let seconds = at.seconds.saturating_mul(SECOND);
        Self(seconds.saturating_add(at.nanos.into()))
    }
}

impl From<SystemTime> for Time {
    fn from(at: SystemTime) -> Self {
        Timestamp::from(at).into()
    }
}

impl From<Time> for Timestamp {
    fn from(Time(nanoseconds): Time) -> Self {
        Self {
            seconds: nanoseconds.div_euclid(SECOND),
            nanos: i32::try_from(nanoseconds.rem_euclid(SECOND)).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_wire_and_nothing_overflows() {
        let at = |seconds, nanos| Timestamp { seconds, nanos };
        for stamp in [at(1_700_000_000, 999_999_999), at(0, 0), at(-1, 5)] {
            assert_eq!(Timestamp::from(Time::from(stamp)), stamp);
        }
        let far = Time::from(at(i64::MAX, 0));
        assert_eq!(Time::default().since(far), Duration::ZERO);
        assert!(Time::default().before(Duration::MAX) < Time::default());
    }
}
