//! A sum over a sliding window.

use std::time::Duration;

use super::Counted;
use crate::Time;

const QUANTA: u64 = 10;
const SLOTS: usize = QUANTA as usize + 1;

/// What was counted within a window.
///
/// The window moves on by tenths, without a seam: what was counted stays in it for its whole length, and for
/// less than a tenth of it longer.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    quantum_ns: u64,
    newest: u64,
    total: Counted,
    sums: [Counted; SLOTS],
}

impl Rate {
    /// Over a window of a microsecond or more.
    pub(crate) fn new(window: Duration) -> Self {
        let window_ns = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        Self {
            quantum_ns: (window_ns / QUANTA).max(1),
            newest: 0,
            total: Counted::default(),
            sums: [Counted::default(); SLOTS],
        }
    }

    pub(crate) fn add(&mut self, counted: Counted, now: Time) {
        self.advance(now);
        if let Some(sum) = self.sums.get_mut((self.newest % SLOTS as u64) as usize) {
            *sum = plus(*sum, counted);
            self.total = plus(self.total, counted);
        }
    }

    pub(crate) fn sum(&mut self, now: Time) -> Counted {
        self.advance(now);
        self.total
    }

    /// Empties what falls out of the window.
    fn advance(&mut self, now: Time) {
        let quantum = now.nanoseconds() / self.quantum_ns;
        let passed = quantum.saturating_sub(self.newest).min(SLOTS as u64);
        for step in 1..=passed {
            let slot = ((self.newest + step) % SLOTS as u64) as usize;
            if let Some(sum) = self.sums.get_mut(slot) {
                self.total = minus(self.total, std::mem::take(sum));
            }
        }
        self.newest = self.newest.max(quantum);
    }
}

const fn plus(one: Counted, other: Counted) -> Counted {
    Counted {
        seen: one.seen.saturating_add(other.seen),
        excused: one.excused.saturating_add(other.excused),
        refused: one.refused.saturating_add(other.refused),
        all: one.all.saturating_add(other.all),
    }
}

const fn minus(one: Counted, other: Counted) -> Counted {
    Counted {
        seen: one.seen.saturating_sub(other.seen),
        excused: one.excused.saturating_sub(other.excused),
        refused: one.refused.saturating_sub(other.refused),
        all: one.all.saturating_sub(other.all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(at: u64) -> Time {
        Time::from_nanoseconds(at * 1_000_000)
    }

    #[test]
    fn a_count_stays_for_the_window_and_less_than_a_tenth_longer() {
        for (counted_at, now, expected) in [
            (0, 0, 7),
            (50, 1050, 7),
            (50, 1099, 7),
            (50, 1100, 0),
            (99, 1099, 7),
            (123_456, 124_456, 7),
            (123_456, 124_500, 0),
            (50, 1 << 40, 0),
        ] {
            let mut rate = Rate::new(Duration::from_secs(1));
            rate.add(Counted::plain(7), ms(counted_at));
            assert_eq!(
                rate.sum(ms(now)).seen,
                expected,
                "counted at {counted_at}, asked at {now}"
            );
        }
    }

    #[test]
    fn a_steady_rate_has_no_seam() {
        let mut rate = Rate::new(Duration::from_secs(10));
        for tick in 0..1000 {
            let now = ms(tick * 100);
            rate.add(Counted::plain(5), now);
            let sum = rate.sum(now).seen;
            assert!(tick < 100 || (500..=550).contains(&sum), "{sum} at {now}");
        }
    }
}
