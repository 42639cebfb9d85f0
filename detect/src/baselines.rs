//! What is usual for each workload.

mod calendar;
mod cell;
mod series;

use std::{collections::BTreeMap, time::Duration};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

pub(crate) use self::calendar::Calendar;
pub use self::{cell::Cell, series::Series};
use crate::{
    Flow, Time,
    peers::{Peer, Peers},
};

/// Workloads that are remembered: four times as many as a node has pods at most by the measure of
/// Kubernetes, 110, and of large ones, 250. The one that has not learned for longest makes room for another.
const WORKLOADS: usize = 1024;

/// What is usual for one workload.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Baseline {
    /// What the workload is called.
    pub workload: String,
    /// By the name of the [`Flow`].
    pub flows: BTreeMap<String, Series>,
}

/// A baseline that cannot have come of learning.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what is usual for {workload} is damaged at {flow}")]
pub struct DamagedBaseline {
    /// Whose.
    pub workload: String,
    /// Of which flow.
    pub flow: String,
}

/// Of all workloads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baselines {
    pub(crate) calendar: Calendar,
    workloads: HashMap<String, Box<Learned>>,
    /// Workloads that made room for others.
    forgotten: u64,
}

#[derive(Clone, Debug, Default)]
struct Learned([Option<Series>; Flow::ALL.len()]);

impl Learned {
    /// The latest hour that was learned from.
    fn latest_hour(&self) -> u64 {
        let series = self.0.iter().flatten();
        series.map(|it| it.latest_hour).max().unwrap_or(0)
    }
}

impl Baselines {
    /// All there are, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Baseline> {
        let all = self.workloads.iter().map(|(workload, learned)| {
            let flows = Flow::ALL.into_iter().zip(&learned.0);
            Baseline {
                workload: workload.clone(),
                flows: flows
                    .filter_map(|(flow, series)| Some((flow.name().to_owned(), (*series)?)))
                    .collect(),
            }
        });
        let mut all: Vec<_> = all.collect();
        all.sort_unstable_by(|a, b| a.workload.cmp(&b.workload));
        all
    }

    /// Takes over what was learned before, in place of all there is. Flows of other names are another
    /// version's.
    pub(crate) fn restore(&mut self, baselines: Vec<Baseline>) -> Result<(), DamagedBaseline> {
        let mut workloads = HashMap::new();
        for baseline in baselines {
            let mut learned = Learned::default();
            for (flow, place) in Flow::ALL.into_iter().zip(&mut learned.0) {
                *place = baseline.flows.get(flow.name()).copied();
                if place.is_some_and(|series| !series.is_sound()) {
                    return Err(DamagedBaseline {
                        workload: baseline.workload,
                        flow: flow.name().to_owned(),
                    });
                }
            }
            workloads.insert(baseline.workload, Box::new(learned));
        }
        self.workloads = workloads;
        while self.workloads.len() > WORKLOADS {
            self.forget_stalest();
        }
        Ok(())
    }

    /// Forgets what is usual for a workload; whether anything was known.
    pub(crate) fn reset(&mut self, workload: &str) -> bool {
        self.workloads.remove(workload).is_some()
    }

    /// What was learned under one name belongs to another, unless that one has learned itself.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(learned) = self.workloads.remove(from) {
            self.workloads.entry_ref(to).or_insert(learned);
        }
    }

    /// For how long all flows of a workload that are learned have been; zero when there are none.
    pub(crate) fn learned(&self, workload: &str) -> Duration {
        let series = self.workloads.get(workload);
        let series = series.iter().flat_map(|learned| learned.0.iter().flatten());
        series.map(Series::learned).min().unwrap_or_default()
    }

    fn series(&self, workload: &str, flow: Flow) -> Option<&Series> {
        let learned = self.workloads.get(workload)?;
        learned.0.get(flow as usize)?.as_ref()
    }

    /// How many workloads made room for others since this was asked last.
    pub(crate) const fn take_forgotten(&mut self) -> u64 {
        std::mem::replace(&mut self.forgotten, 0)
    }

    /// Makes room for one more.
    fn forget_stalest(&mut self) {
        let stalest = self.workloads.iter();
        let stalest = stalest.min_by_key(|(workload, learned)| (learned.latest_hour(), *workload));
        if let Some(stalest) = stalest.map(|(workload, _)| workload.clone()) {
            self.reset(&stalest);
            self.forgotten += 1;
        }
    }
}

/// What is usual for the workload of one pod.
#[derive(Debug)]
pub(crate) struct Usual<'a> {
    pub(crate) workload: &'a str,
    pub(crate) baselines: &'a mut Baselines,
    pub(crate) peers: &'a mut Peers,
}

impl Usual<'_> {
    /// Learns the peak of the hour in which a time lies.
    pub(crate) fn learn(&mut self, flow: Flow, at: Time, peak: u64, floor: u64) {
        let hour = self.baselines.calendar.hour(at);
        if !self.baselines.workloads.contains_key(self.workload)
            && self.baselines.workloads.len() >= WORKLOADS
        {
            self.baselines.forget_stalest();
        }
        let learned = self
            .baselines
            .workloads
            .entry_ref(self.workload)
            .or_default();
        if let Some(series) = learned.0.get_mut(flow as usize) {
            series.get_or_insert_default().learn(hour, peak, floor);
        }
    }

    /// From how many on it is unusual now; nothing is while it was not learned for long enough.
    pub(crate) fn limit(
        &self,
        flow: Flow,
        now: Time,
        spreads: u32,
        learning: Duration,
    ) -> Option<u64> {
        let series = self.baselines.series(self.workload, flow)?;
        let hour = self.baselines.calendar.hour(now);
        (series.learned() >= learning).then(|| series.limit(hour, spreads))
    }

    /// The workload talks to a peer; whether it never did, as far as can be said after so long.
    pub(crate) fn meets(
        &mut self,
        peer: Peer,
        at: Time,
        learning: Duration,
        forgotten: &mut u64,
    ) -> bool {
        let workload = self.workload;
        self.peers.meet(workload, peer, at, learning, forgotten)
    }

    pub(crate) fn hour_end(&self, now: Time) -> Time {
        self.baselines.calendar.hour_end(now)
    }
}

#[cfg(test)]
mod tests;
