//! What each detector found of what it should, and what of ordinary work it flagged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use serde_json::{Value, json};

use super::{expected, manifest::Verdict, outcome::Outcome};

/// Of one detector.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Score {
    /// Attacks it should have found, those left out that another one found in its place.
    should: u32,
    /// Those it found of them.
    found: u32,
    /// Attacks in which it found something, whatever that should have been.
    attacks: u32,
    /// Captures of ordinary work in which it found more than may be.
    flagged: u32,
    latencies: Vec<Duration>,
}

/// Of all detectors that fired or should have.
pub(super) fn scores(outcomes: &[Outcome]) -> BTreeMap<&str, Score> {
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    for outcome in outcomes {
        let expected = expected::detectors(&outcome.capture.label);
        let fired: BTreeSet<&str> = outcome.fired.keys().map(String::as_str).collect();
        let anybody = expected.iter().any(|it| fired.contains(it));
        if matches!(outcome.capture.verdict, Verdict::MustFire | Verdict::Attack) {
            for (rank, detector) in expected.iter().enumerate() {
                let found = fired.contains(detector);
                if found || rank == 0 && !anybody {
                    let score = scores.entry(detector).or_default();
                    score.should += 1;
                    score.found += u32::from(found);
                }
            }
        }
        for (detector, &worst) in &outcome.fired {
            let score = scores.entry(detector).or_default();
            score.attacks += u32::from(!outcome.capture.verdict.is_benign());
            score.flagged += u32::from(outcome.flags(worst));
            if !outcome.capture.verdict.is_benign() {
                score.latencies.extend(outcome.latencies.get(detector));
            }
        }
    }
    for score in scores.values_mut() {
        score.latencies.sort_unstable();
    }
    scores
}

impl Score {
    fn precision(&self) -> Option<f64> {
        share(self.attacks, self.attacks + self.flagged)
    }

    fn recall(&self) -> Option<f64> {
        share(self.found, self.should)
    }

    fn median(&self) -> Option<Duration> {
        self.latencies.get(self.latencies.len() / 2).copied()
    }

    fn worst(&self) -> Option<Duration> {
        self.latencies.last().copied()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "should": self.should,
            "found": self.found,
            "attacks": self.attacks,
            "flagged": self.flagged,
            "precision": self.precision(),
            "recall": self.recall(),
            "median_latency_s": self.median().map(|it| it.as_secs_f64()),
            "worst_latency_s": self.worst().map(|it| it.as_secs_f64()),
        })
    }
}

fn share(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

/// Above the lines of all detectors.
pub(super) const HEADER: &str =
    "  detector            found  flagged  precision  recall   median    worst";

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |it: Option<f64>| it.map_or("-".into(), |it| format!("{:.0} %", it * 100.0));
        let seconds =
            |it: Option<Duration>| it.map_or("-".into(), |it| format!("{:.2} s", it.as_secs_f64()));
        write!(
            f,
            "{:>9} {:>8} {:>10} {:>7} {:>8} {:>8}",
            format!("{}/{}", self.found, self.should),
            self.flagged,
            percent(self.precision()),
            percent(self.recall()),
            seconds(self.median()),
            seconds(self.worst()),
        )
    }
}

#[cfg(test)]
mod tests {
    use api::v1::Severity::{High, Info, Medium};

    use super::{super::outcome::tests::outcome, *};

    #[test]
    fn one_of_several_detectors_is_enough() {
        let outcomes = [
            outcome(Verdict::MustFire, "sweep-tcp", &[("port_scan", High, 9)]),
            outcome(Verdict::MustFire, "sweep-tcp", &[("ip_sweep", High, 5)]),
            outcome(Verdict::MustFire, "sweep-tcp", &[]),
            outcome(Verdict::MustFire, "portscan-tcp", &[("ip_sweep", High, 7)]),
            outcome(Verdict::Hard, "portscan-slow", &[]),
            outcome(Verdict::MustNotFire, "scraper", &[("ip_sweep", Medium, 1)]),
            outcome(Verdict::MustNotFire, "scraper", &[("ip_sweep", Info, 1)]),
        ];
        let scores = scores(&outcomes);
        let counts = |detector| {
            let it: &Score = &scores[detector];
            (it.found, it.should, it.attacks, it.flagged)
        };
        assert_eq!(counts("ip_sweep"), (1, 2, 2, 1));
        assert_eq!(counts("port_scan"), (1, 2, 1, 0));
        assert_eq!(scores["ip_sweep"].median(), Some(Duration::from_millis(7)));
        assert_eq!(scores["ip_sweep"].precision(), Some(2.0 / 3.0));
    }
}
