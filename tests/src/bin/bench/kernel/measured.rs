//! What the test runs of a case say, as a line and for the report.

use std::fmt;

use serde_json::{Value, json};

use crate::statistics::Spread;

/// Nanoseconds.
pub(super) struct Timing {
    pub(super) empty: Spread,
    pub(super) ours: Spread,
    pub(super) added: Spread,
}

impl Timing {
    pub(super) fn of(rounds: &[[f64; 2]]) -> Self {
        Self {
            empty: Spread::of(rounds.iter().map(|it| it[0])),
            ours: Spread::of(rounds.iter().map(|it| it[1])),
            added: Spread::of(rounds.iter().map(|it| it[1] - it[0])),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "empty_ns": self.empty.json(),
            "ours_ns": self.ours.json(),
            "added_ns": self.added.json(),
        })
    }
}

/// What one case takes.
pub(super) struct Measured {
    pub(super) name: &'static str,
    pub(super) rate: u32,
    pub(super) target_ns: Option<f64>,
    /// A different packet each time.
    pub(super) many: Timing,
    /// One packet again and again, where that is possible.
    pub(super) one: Option<Timing>,
}

impl Measured {
    pub(super) fn json(&self) -> Value {
        json!({
            "case": self.name,
            "sample_rate": self.rate,
            "target_ns": self.target_ns,
            "many": self.many.json(),
            "one": self.one.as_ref().map(Timing::json),
        })
    }
}

/// Above the lines of all cases.
pub(super) const HEADER: &str = "  case                    | many packets: empty   ours  added (middle half) | one: empty   ours  added  ratio | target";

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Timing { empty, ours, added } = &self.many;
        write!(
            f,
            "  {:<23} | {:>19.0} {:>6.0} {:>6.0} ({:>4.0} to {:>4.0}) |",
            self.name, empty.median, ours.median, added.median, added.low, added.high
        )?;
        match &self.one {
            Some(one) => write!(
                f,
                " {:>10.0} {:>6.0} {:>6.0} {:>6.2} |",
                one.empty.median,
                one.ours.median,
                one.added.median,
                one.ours.median / one.empty.median
            )?,
            None => write!(f, "{:32} |", "")?,
        }
        match self.target_ns {
            Some(target) => {
                let verdict = if added.median <= target {
                    "met"
                } else {
                    "missed"
                };
                write!(f, " {target:>5.0} {verdict}")
            }
            None => Ok(()),
        }
    }
}
