//! What is usual, learned from one number after the other.

use serde::{Deserialize, Serialize};

/// Beyond so many spreads a number is an outlier.
const OUTLIER: f64 = 2.0;
/// Makes the spread that of a normal distribution when there are no outliers, for an [`OUTLIER`] of 2.
const CONSISTENCY: f64 = 2.52;
/// The least share of a new number, so that an old one is forgotten by and by.
const LEAST_SHARE: f64 = 0.1;
/// The spread that nothing is known of: a factor of e, as hourly peaks of one pod easily differ by.
const UNKNOWN_SPREAD: f64 = 1.0;
/// The least spread, half of ln 2: a pod that never varies at all may do so by a factor of the square root
/// of 2.
const LEAST_SPREAD: f64 = 0.346_573_6;
/// Numbers are logarithms of 64-bit counts.
const MOST: f32 = 45.0;

/// The usual level of a series of logarithms, and how far from it they usually are.
///
/// Robust exponential smoothing (Gelper, Fried and Croux, "Robust forecasting with exponential and
/// Holt-Winters smoothing", Journal of Forecasting 29, 2010): an outlier counts as much as a number two
/// spreads away (Huber's function), and widens the spread by no more than that (Tukey's biweight). One flood
/// teaches next to nothing; what happens again and again is usual in the end.
///
/// The first numbers weigh 1/2, 1/3 and so on, until that is less than a tenth.
///
/// ```
/// let mut cell = detect::Cell::default();
/// for _ in 0..100 {
///     cell.learn(5.0);
/// }
/// let before = cell.limit(4.0);
/// cell.learn(20.0);
/// assert!(cell.limit(4.0) - before < 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Cell {
    /// The level.
    pub level: f32,
    /// How far from the level a number usually is.
    pub spread: f32,
    /// Numbers that were learned from.
    pub numbers: u32,
}

impl Cell {
    /// Learns from one more number.
    pub fn learn(&mut self, number: f64) {
        let numbers = self.numbers;
        self.numbers = numbers.saturating_add(1);
        if numbers == 0 {
            self.level = number as f32;
            self.spread = UNKNOWN_SPREAD as f32;
            return;
        }
        let share = (1.0 / (f64::from(numbers) + 1.0)).max(LEAST_SHARE);
        let error = number - f64::from(self.level);
        let variance = f64::from(self.spread).powi(2);
        let distance = error / self.spread();
        let spread = (share * biweight(distance) * variance + (1.0 - share) * variance).sqrt();
        self.spread = spread.max(LEAST_SPREAD) as f32;
        let cleaned = distance.clamp(-OUTLIER, OUTLIER) * self.spread();
        // No further than the number itself: the spread has changed.
        let cleaned = cleaned.abs().min(error.abs()).copysign(error);
        self.level = (f64::from(self.level) + share * cleaned) as f32;
    }

    /// What is so many spreads above the level.
    #[must_use]
    pub fn limit(&self, spreads: f64) -> f64 {
        f64::from(self.level) + spreads * self.spread()
    }

    /// Whether it can have come of learning.
    pub(super) fn is_sound(&self) -> bool {
        let sound = |number: f32| (0.0..=MOST).contains(&number);
        sound(self.level) && sound(self.spread)
    }

    fn spread(&self) -> f64 {
        f64::from(self.spread).max(LEAST_SPREAD)
    }
}

/// Tukey's biweight of a distance in spreads: quadratic near zero, and bounded.
fn biweight(distance: f64) -> f64 {
    let inside = 1.0 - (distance / OUTLIER).powi(2).min(1.0);
    CONSISTENCY * (1.0 - inside.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taught(numbers: impl IntoIterator<Item = f64>) -> Cell {
        let mut cell = Cell::default();
        numbers.into_iter().for_each(|number| cell.learn(number));
        cell
    }

    #[test]
    fn a_steady_series_has_its_level_and_the_least_spread() {
        let cell = taught([7.0; 200]);
        assert_eq!(cell.level, 7.0);
        assert!((cell.limit(4.0) - 7.0 - 4.0 * LEAST_SPREAD).abs() < 1e-5);
        assert!((LEAST_SPREAD - 2.0_f64.ln() / 2.0).abs() < 1e-6);
    }

    #[test]
    fn normal_numbers_have_about_their_own_spread() {
        // Twelve uniform numbers sum up to one that is near normal, with variance 1.
        let mut state = 1_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let cell = taught((0..2000).map(|_| 20.0 + (0..12).map(|_| uniform()).sum::<f64>() - 6.0));
        assert!((19.0..21.0).contains(&cell.level), "{cell:?}");
        assert!((0.6..1.5).contains(&cell.spread), "{cell:?}");
    }

    #[test]
    fn a_rare_outlier_hardly_counts_and_a_frequent_one_becomes_usual() {
        let rare = taught((0..200).map(|n| if n % 50 == 49 { 20.0 } else { 5.0 }));
        assert!(rare.limit(4.0) < 9.0, "{rare:?}");
        let frequent = taught((0..200).map(|n| if n % 3 == 2 { 20.0 } else { 5.0 }));
        assert!(frequent.limit(4.0) > 20.0, "{frequent:?}");
        let moved = taught((0..400).map(|n| if n < 200 { 5.0 } else { 20.0 }));
        assert!((moved.level - 20.0).abs() < 0.5, "{moved:?}");
    }

    #[test]
    fn what_cannot_have_come_of_learning_is_not_sound() {
        assert!(Cell::default().is_sound());
        assert!(taught([0.0, 44.0, 1e-3]).is_sound());
        for level in [f32::NAN, f32::INFINITY, -1.0, 46.0] {
            let bad = Cell {
                level,
                ..Cell::default()
            };
            assert!(!bad.is_sound(), "{bad:?}");
            let bad = Cell {
                spread: level,
                ..Cell::default()
            };
            assert!(!bad.is_sound(), "{bad:?}");
        }
    }
}
