//! What is told of many measurements of the same thing.

use serde_json::{Value, json};

/// The middle of the measurements, and the range of the middle half of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of at least one measurement.
    pub(crate) fn of(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: usize| sorted[(sorted.len() - 1) * share / 4];
        Self {
            median: at(2),
            low: at(1),
            high: at(3),
        }
    }

    pub(crate) fn json(self) -> Value {
        let round = |value: f64| (value * 1e3).round() / 1e3;
        json!({"median": round(self.median), "low": round(self.low), "high": round(self.high)})
    }
}
