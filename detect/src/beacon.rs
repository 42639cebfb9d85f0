//! Finds pods that call one destination again and again, at a regular interval.
//!
//! An implant asks its master for orders every so often, with some jitter so that it is not too regular.
//! Workloads do the same: leases, metrics that are pushed, jobs. So this detector is in shadow unless it is
//! set otherwise, and what it finds is `Info`: worth knowing when something else happens.
//!
//! Calls are told by the records of first contacts, which a contact gives once in a minute or two at most: intervals
//! shorter than [`Thresholds::interval`] cannot be told from a destination that is in use all the time. The
//! spread is the median of the absolute deviations from the median interval, which a few calls that are
//! missing do not change. A destination that is called twice within a quarter of that is in use, and its calls
//! are counted anew.

use std::{collections::VecDeque, net::IpAddr, time::Duration};

use hashbrown::HashMap;

use crate::{
    Anomaly, Criterion, Measure, Mode, Severity, Time, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    limits::{DAY, HOUR, MINUTE, thresholds},
    probes::{Fate, Probes, Service, Step},
};

thresholds! {
    /// Thresholds of the beacon detector.
    Thresholds {
        /// Calls at a regular interval; 12.
        ///
        /// Of eleven intervals that vary at random, as those of people and requests do, the spread is half
        /// their median or more; that it is a fifth by chance is rarer than one in 10,000.
        calls: u32 = 12, 5 => 32,
            "calls to one destination at a regular interval";
        /// The shortest interval that is judged; 3 min, twice the time after which a contact is told anew.
        interval: Duration = Duration::from_secs(180), 2 * MINUTE => DAY,
            "the shortest interval that is judged";
        /// How much intervals may vary, in percent of their median; 20.
        ///
        /// Cobalt Strike and Sliver, which are sold for such calls, have no jitter or up to some tens of
        /// percent by default.
        jitter_percent: u32 = 20, 0 => 100,
            "how much intervals may vary, in percent of the median";
        /// An anomaly without a call for this long is closed; 4 h.
        quiet: Duration = 4 * HOUR, MINUTE => DAY,
            "an anomaly without a call for so long is closed";
    }
}

/// Destinations of one pod that are watched; the one not called for longest makes room for another.
const DESTINATIONS: usize = 128;
/// Calls to one that are remembered.
const CALLS: usize = 32;

/// What is known of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    calls: HashMap<(IpAddr, Service), VecDeque<Time>>,
    case: Option<Box<Case>>,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "beacon";

    const WORDS: Words = Words {
        opened: "called {} regularly",
        updated: "still calls {} regularly",
        closed: "stopped calling {} regularly",
        samples: "such as",
    };

    const MODE: Mode = Mode::Shadow;

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for step in seen.steps {
            if matches!(step.fate, Fate::Sent(_)) && step.service.is_port() {
                self.call(step, seen, thresholds);
            }
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            self.calls.clear();
        }
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let calls = self.calls.len() * CALLS * size_of::<Time>();
        let case = self.case.as_ref().map_or(0, |case| case.bytes());
        self.calls.allocation_size() + calls + case
    }
}

impl Pod {
    fn call(&mut self, step: &Step, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let key = (step.address, step.service);
        if self.calls.len() == DESTINATIONS && !self.calls.contains_key(&key) {
            let idle = self
                .calls
                .iter()
                .map(|(&key, calls)| (calls.back().copied(), key));
            if let Some((_, idle)) = idle.min() {
                self.calls.remove(&idle);
                *seen.forgotten += 1;
            }
        }
        let calls = self.calls.entry(key).or_default();
        let in_use = thresholds.interval / 4;
        if calls
            .back()
            .is_some_and(|&last| step.at.since(last) < in_use)
        {
            // What is in use all the time is called at no interval.
            calls.clear();
            calls.shrink_to(1);
        }
        if calls.len() == CALLS {
            calls.pop_front();
        }
        calls.push_back(step.at);
        let Some(interval) = regular(calls, thresholds) else {
            return;
        };
        let sign = Sign {
            at: step.at,
            passed_at: step.passed_at,
            target: Some(step.address),
            port: Some(step.service.port),
            technique: step.technique,
            sample: Some(format!(
                "port {} every {} s",
                step.service.port,
                interval.as_secs()
            )),
            ..Sign::default()
        };
        match &mut self.case {
            Some(case) => case.add(&sign, 1),
            None => {
                let counted = calls.len() as u64;
                let opening = Opening {
                    id: seen.next_id(),
                    detector: Self::ID,
                    attack_ids: &["T1071", "T1029"],
                    severity: Severity::Info,
                    crossed: Criterion {
                        measure: Measure::RegularCalls,
                        counted,
                        threshold: thresholds.calls.into(),
                        window: calls
                            .front()
                            .map_or(interval, |&first| step.at.since(first)),
                    },
                    crossed_at: step.at,
                };
                let mut case = Case::open(opening, []);
                case.add(&sign, counted);
                self.case = Some(Box::new(case));
            }
        }
    }
}

/// The interval of the last calls, when it is regular.
fn regular(calls: &VecDeque<Time>, thresholds: &Thresholds) -> Option<Duration> {
    let wanted = usize::try_from(thresholds.calls).unwrap_or(CALLS);
    let skip = calls.len().checked_sub(wanted)?;
    let last: Vec<Time> = calls.iter().copied().skip(skip).collect();
    let intervals = last.windows(2).map(|pair| match *pair {
        [earlier, later] => later.since(earlier),
        _ => Duration::ZERO,
    });
    let intervals: Vec<_> = intervals.collect();
    let interval = median(intervals.clone());
    let deviations = intervals.iter().map(|it| it.abs_diff(interval));
    let spread = median(deviations.collect());
    let allowed = interval * thresholds.jitter_percent / 100;
    (interval >= thresholds.interval && spread <= allowed).then_some(interval)
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations
        .get(durations.len() / 2)
        .copied()
        .unwrap_or_default()
}
