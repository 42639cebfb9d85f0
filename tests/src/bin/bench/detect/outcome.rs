//! What was found in a capture, and whether that is what was asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use api::v1::{Event, Severity, State};
use serde_json::{Value, json};

use super::manifest::{Capture, Verdict};

/// The least that any latency may be.
const LEAST_LIMIT: Duration = Duration::from_millis(150);

/// What the detectors made of a capture.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) capture: Capture,
    /// Detectors with the worst they found.
    pub(super) fired: BTreeMap<String, Severity>,
    /// From the pod's first packet to the first event of each.
    pub(super) latencies: BTreeMap<String, Duration>,
    /// Addresses that events called the source.
    pub(super) named: BTreeSet<String>,
    pub(super) packets: u64,
    /// On the wall, from the first packet to the last.
    pub(super) took: Duration,
}

/// Whether it is what was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Judgement {
    Ok,
    /// Later than a good rule.
    Late,
    /// Nothing was found, and it is no failure.
    Unfound,
    /// Nothing was found.
    Miss,
    /// More was found than may be.
    False,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Unfound => "-",
            Self::Miss => "MISS",
            Self::False => "FALSE",
        })
    }
}

impl Outcome {
    /// Of the events of a replay whose first packet from the pod passed `first_sent` after 1970.
    pub(super) fn of(
        capture: Capture,
        events: &[Event],
        first_sent: Option<Duration>,
        packets: u64,
        took: Duration,
    ) -> Self {
        let mut outcome = Self {
            capture,
            fired: BTreeMap::new(),
            latencies: BTreeMap::new(),
            named: BTreeSet::new(),
            packets,
            took,
        };
        for event in events {
            let worst = outcome
                .fired
                .entry(event.detector.clone())
                .or_insert(event.severity());
            *worst = event.severity().max(*worst);
            if event.state() == State::Opened
                && let Some(raised) = event.raised_at
                && let Some(first_sent) = first_sent
            {
                let seconds = u64::try_from(raised.seconds).unwrap_or(0);
                let raised = Duration::new(seconds, u32::try_from(raised.nanos).unwrap_or(0));
                let latency = raised.saturating_sub(first_sent);
                outcome
                    .latencies
                    .entry(event.detector.clone())
                    .or_insert(latency);
            }
            // Who is unknown is not accused.
            let source = event.source.as_ref().map(|it| it.address.clone());
            outcome.named.extend(source.filter(|it| !it.is_empty()));
        }
        outcome
    }

    pub(super) fn worst(&self) -> Option<Severity> {
        self.fired.values().copied().max()
    }

    /// To the first event of any detector.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.latencies.values().copied().min()
    }

    /// What the latency may be.
    pub(super) fn limit(&self) -> Option<Duration> {
        let reference = self.capture.reference?;
        Some(LEAST_LIMIT.max(2 * reference))
    }

    /// Whether more was found than may be in somebody's ordinary work.
    pub(super) fn flags(&self, worst: Severity) -> bool {
        match self.capture.verdict {
            Verdict::MustNotFire => worst > Severity::Info,
            Verdict::LowAllowed => worst > Severity::Low,
            _ => false,
        }
    }

    pub(super) fn judgement(&self) -> Judgement {
        let Some(worst) = self.worst() else {
            return match self.capture.verdict {
                Verdict::MustFire => Judgement::Miss,
                Verdict::LowAllowed | Verdict::MustNotFire => Judgement::Ok,
                _ => Judgement::Unfound,
            };
        };
        if self.flags(worst) {
            return Judgement::False;
        }
        let late = self
            .limit()
            .zip(self.latency())
            .is_some_and(|(limit, latency)| latency > limit);
        if late { Judgement::Late } else { Judgement::Ok }
    }

    /// Whether the events name the true source and nobody else, when it is known and there are any.
    pub(super) fn names_the_source(&self) -> Option<bool> {
        let source = self.capture.source?.to_string();
        (!self.named.is_empty()).then(|| self.named.iter().all(|named| *named == source))
    }

    /// None when there are too few to tell.
    pub(super) fn us_per_packet(&self) -> Option<f64> {
        const ENOUGH: u64 = 1000;
        (self.packets >= ENOUGH).then(|| self.took.as_secs_f64() * 1e6 / self.packets as f64)
    }

    pub(super) fn json(&self) -> Value {
        let fired = self
            .fired
            .iter()
            .map(|(detector, worst)| (detector.clone(), name(*worst).into()));
        let latencies = self
            .latencies
            .iter()
            .map(|(detector, it)| (detector.clone(), it.as_secs_f64().into()));
        json!({
            "file": self.capture.name,
            "verdict": self.capture.verdict.name(),
            "label": self.capture.label,
            "judgement": self.judgement().to_string(),
            "fired": fired.collect::<serde_json::Map<_, _>>(),
            "latencies_s": latencies.collect::<serde_json::Map<_, _>>(),
            "latency_s": self.latency().map(|it| it.as_secs_f64()),
            "limit_s": self.limit().map(|it| it.as_secs_f64()),
            "named": self.named,
            "packets": self.packets,
            "us_per_packet": self.us_per_packet(),
        })
    }
}

/// As people say it.
pub(super) const fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Unspecified => "unspecified",
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::SystemTime;

    use super::*;

    /// In it each detector found something so bad, so long after the start.
    pub(crate) fn outcome(
        verdict: Verdict,
        label: &str,
        fired: &[(&str, Severity, u64)],
    ) -> Outcome {
        let capture = Capture {
            name: format!("lab/{label}"),
            path: label.into(),
            verdict,
            label: label.to_owned(),
            reference: Some(Duration::from_millis(100)),
            source: "10.0.0.1".parse().ok(),
        };
        let events = fired.iter().map(|&(detector, severity, ms)| {
            let at = Duration::from_secs(50) + Duration::from_millis(ms);
            Event {
                detector: detector.to_owned(),
                severity: severity.into(),
                state: State::Opened.into(),
                raised_at: Some((SystemTime::UNIX_EPOCH + at).into()),
                ..Event::default()
            }
        });
        let events: Vec<_> = events.collect();
        Outcome::of(
            capture,
            &events,
            Some(Duration::from_secs(50)),
            10,
            Duration::from_millis(1),
        )
    }

    #[test]
    fn each_verdict_is_judged_by_what_it_asks() {
        use Severity::{High, Info, Low, Medium};
        for (verdict, worst, latency_ms, expected) in [
            (Verdict::MustFire, None, 0, Judgement::Miss),
            (Verdict::MustFire, Some(Info), 200, Judgement::Ok),
            (Verdict::MustFire, Some(High), 201, Judgement::Late),
            (Verdict::Attack, None, 0, Judgement::Unfound),
            (Verdict::Hard, None, 0, Judgement::Unfound),
            (Verdict::Hard, Some(High), 1, Judgement::Ok),
            (Verdict::MustNotFire, None, 0, Judgement::Ok),
            (Verdict::MustNotFire, Some(Info), 0, Judgement::Ok),
            (Verdict::MustNotFire, Some(Low), 0, Judgement::False),
            (Verdict::LowAllowed, Some(Low), 0, Judgement::Ok),
            (Verdict::LowAllowed, Some(Medium), 0, Judgement::False),
        ] {
            let fired = worst.map(|worst| ("port_scan", worst, latency_ms));
            let judged = outcome(verdict, "x", fired.as_slice()).judgement();
            assert_eq!(judged, expected, "{verdict:?}, {worst:?}, {latency_ms} ms");
        }
    }

    #[test]
    fn the_true_source_and_nobody_else_must_be_named() {
        let mut it = outcome(Verdict::MustFire, "x", &[]);
        for (named, expected) in [
            (&[][..], None),
            (&["10.0.0.1"][..], Some(true)),
            (&["10.0.0.2"][..], Some(false)),
            (&["10.0.0.1", "10.0.0.2"][..], Some(false)),
            (&["", "10.0.0.1"][..], Some(false)),
        ] {
            it.named = named.iter().map(ToString::to_string).collect();
            assert_eq!(it.names_the_source(), expected, "{named:?}");
        }
    }
}
