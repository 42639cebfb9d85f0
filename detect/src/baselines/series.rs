//! How strong one flow of a workload usually is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    calendar::{DAYS, HOURS, place},
    cell::Cell,
};
use crate::limits::HOUR;

/// Of fewer numbers nobody can tell a spread: they vary as those of all hours do.
const FEW: u32 = 4;

/// What the hours so far had in common: the logarithm of the most within ten seconds of each hour.
///
/// An hour's peak is learned, not each ten seconds: what comes in bursts is quiet most of the time, and its
/// bursts are as usual as its silence. Maxima of equal blocks are what extreme-value statistics is about
/// (Gumbel, "Statistics of Extremes", 1958).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Series {
    /// Of all hours.
    pub always: Cell,
    /// Of each hour of the day, in UTC.
    pub hours: [Cell; HOURS],
    /// Of each day of the week in UTC, from Sunday on.
    pub days: [Cell; DAYS],
    /// Distinct hours that were learned from.
    pub learned_hours: u32,
    /// The latest of them, since 1970.
    pub latest_hour: u64,
}

impl Series {
    /// For how long it has learned.
    #[must_use]
    pub fn learned(&self) -> Duration {
        HOUR * self.learned_hours
    }

    /// Learns the peak of an hour. Below a quarter of the floor all peaks are alike.
    pub(super) fn learn(&mut self, hour: u64, peak: u64, floor: u64) {
        let number = logarithm(peak.max(floor / 4));
        let (of_day, of_week) = place(hour);
        self.always.learn(number);
        let cells = [self.hours.get_mut(of_day), self.days.get_mut(of_week)];
        for cell in cells.into_iter().flatten() {
            cell.learn(number);
        }
        if self.learned_hours == 0 || hour > self.latest_hour {
            self.learned_hours = self.learned_hours.saturating_add(1);
            self.latest_hour = hour;
        }
    }

    /// What is unusual in this hour: so many spreads above what is usual at any time, at this hour of the
    /// day, and on this day of the week.
    pub(super) fn limit(&self, hour: u64, spreads: u32) -> u64 {
        let (of_day, of_week) = place(hour);
        let cells = [
            Some(&self.always),
            self.hours.get(of_day),
            self.days.get(of_week),
        ];
        let learned = cells.into_iter().flatten().filter(|cell| cell.numbers > 0);
        let limit = learned.map(|cell| {
            let spread = if cell.numbers < FEW {
                self.always.spread
            } else {
                cell.spread
            };
            Cell { spread, ..*cell }.limit(spreads.into())
        });
        let limit = limit.fold(0.0, f64::max);
        // Too large a number becomes the largest one.
        limit.exp_m1().ceil() as u64
    }

    /// Whether it can have come of learning.
    pub(super) fn is_sound(&self) -> bool {
        let mut cells = self.hours.iter().chain(&self.days).chain([&self.always]);
        cells.all(Cell::is_sound)
    }
}

fn logarithm(count: u64) -> f64 {
    (count as f64).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: u64 = 40;

    /// Two weeks of hours, each with its peak.
    fn taught(peak: impl Fn(u64) -> u64) -> Series {
        let mut series = Series::default();
        for hour in 0..336 {
            series.learn(hour, peak(hour), FLOOR);
        }
        series
    }

    #[test]
    fn a_nightly_peak_is_usual_at_night_only() {
        let series = taught(|hour| if hour % 24 == 2 { 1_000_000 } else { 1000 });
        let next = 336;
        assert!(series.limit(next + 2, 4) > 3_000_000);
        assert!(series.limit(next + 14, 4) < 100_000);
    }

    #[test]
    fn a_day_of_the_week_that_differs_is_usual_on_that_day_only() {
        let monday = |hour| place(hour).1 == 1;
        let series = taught(|hour| if monday(hour) { 1_000_000 } else { 1000 });
        let hour_of = |day| (336..).find(|&hour| place(hour) == (12, day)).unwrap();
        assert!(series.limit(hour_of(1), 4) > 1_000_000);
        assert!(series.limit(hour_of(3), 4) < 100_000);
    }

    #[test]
    fn peaks_below_a_quarter_of_the_floor_are_alike_and_leave_the_floor_to_decide() {
        let silent = taught(|_| 0);
        assert_eq!(silent, taught(|hour| hour % 10));
        assert!(
            silent.limit(336, 4) <= 5 * FLOOR,
            "{}",
            silent.limit(336, 4)
        );
    }

    #[test]
    fn hours_count_once_however_many_replicas_teach_them() {
        let mut series = Series::default();
        for hour in [5, 5, 6, 5, 6] {
            series.learn(hour, 100, FLOOR);
        }
        assert_eq!((series.learned_hours, series.always.numbers), (2, 5));
        assert_eq!(series.learned(), 2 * HOUR);
    }
}
