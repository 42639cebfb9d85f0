//! The hosts on which one service was tried.

use std::net::IpAddr;

use super::thresholds::{HOSTS, Thresholds};
use crate::{
    Criterion, Measure, Technique, Time,
    hash::hash,
    probes::{Fate, Outcome, Step},
    tally::Tally,
    window::{HORIZONS, reached},
};

/// What is remembered of a host that fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) passed_at: Time,
    pub(super) technique: Option<Technique>,
    pub(super) refused: bool,
}

impl Failure {
    pub(super) const fn of(step: &Step) -> Self {
        let refused = matches!(
            step.fate,
            Fate::Failed {
                outcome: Outcome::Refused,
                ..
            }
        );
        Self {
            passed_at: step.passed_at,
            technique: step.technique,
            refused,
        }
    }
}

/// Hosts by what came of a service on them; each is in one of the three.
#[derive(Clone, Debug)]
pub(super) struct Group {
    failed: Tally<IpAddr, Failure>,
    overdue: Tally<IpAddr, Failure>,
    /// By the hash of the host: nobody asks which they are.
    answered: Tally<u64>,
    pub(super) touched: Time,
}

impl Default for Group {
    fn default() -> Self {
        let room = HOSTS as usize;
        Self {
            failed: Tally::new(room),
            overdue: Tally::new(room),
            answered: Tally::new(room),
            touched: Time::default(),
        }
    }
}

impl Group {
    pub(super) fn answer(&mut self, host: IpAddr, at: Time, forgotten: &mut u64) {
        self.failed.remove(&host);
        self.overdue.remove(&host);
        self.answered.insert(hash(&host), (), at, forgotten);
    }

    /// True when the host is new to the group.
    pub(super) fn delay(
        &mut self,
        host: IpAddr,
        failure: Failure,
        at: Time,
        forgotten: &mut u64,
    ) -> bool {
        let known = self.failed.contains(&host) || self.answered.contains(&hash(&host));
        !known && self.overdue.insert(host, failure, at, forgotten)
    }

    /// True when the host is new to the group.
    pub(super) fn fail(
        &mut self,
        host: IpAddr,
        failure: Failure,
        at: Time,
        forgotten: &mut u64,
    ) -> bool {
        let overdue = self.overdue.remove(&host);
        self.answered.remove(&hash(&host));
        self.failed.insert(host, failure, at, forgotten) && !overdue
    }

    /// How much would be lost with it: what fails within a minute, within an hour, and when it was last
    /// told of.
    pub(super) fn weight(&self, now: Time) -> (u32, u32, Time) {
        let (failed, overdue) = (self.failed.counts(now), self.overdue.counts(now));
        (failed[0] + overdue[0], failed[1], self.touched)
    }

    /// What failed or is overdue since then.
    pub(super) fn failures(&self, start: Time) -> impl Iterator<Item = (IpAddr, Time, Failure)> {
        let all = self.failed.since(start).chain(self.overdue.since(start));
        all.map(|(host, at, &failure)| (host, at, failure))
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.failed.heap_bytes() + self.overdue.heap_bytes() + self.answered.heap_bytes()
    }

    /// What is crossed at that time, if anything is.
    pub(super) fn crossed(&self, at: Time, thresholds: &Thresholds) -> Option<Criterion> {
        let failed = self.failed.counts(at);
        let limits = thresholds.failed_hosts();
        let answered = self.answered.counts(at);
        let outweighs = |counted: u32, horizon: usize| {
            counted >= answered[horizon].saturating_add(thresholds.excess_failures)
        };
        if let Some(horizon) = reached(failed, limits)
            && outweighs(failed[horizon], horizon)
        {
            return Some(Criterion {
                measure: Measure::FailedHostsPerPort,
                counted: failed[horizon].into(),
                threshold: limits[horizon].into(),
                window: HORIZONS[horizon],
            });
        }
        let unanswered = failed[0] + self.overdue.counts(at)[0];
        let limit = thresholds.unanswered_hosts_per_minute;
        (unanswered >= limit && outweighs(unanswered, 0)).then(|| Criterion {
            measure: Measure::UnansweredHostsPerPort,
            counted: unanswered.into(),
            threshold: limit.into(),
            window: HORIZONS[0],
        })
    }
}
