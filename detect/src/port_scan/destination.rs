//! One destination of a pod: what came of its probes, port by port.

use std::time::Duration;

use hashbrown::{HashMap, hash_map::Entry};

use super::window::{PerHorizon, Windows};
use crate::{Technique, Time};

/// Ports of one destination that were probed, and how many failed lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Destination {
    /// When a record last told of it.
    pub(super) touched: Time,
    /// It has crossed a threshold for failed ports during the open anomaly.
    pub(super) crossed: bool,
    probes: HashMap<u16, Probe>,
    failed: Windows,
    /// Ports whose latest outcome is a failure, however long ago.
    failing: u32,
}

/// The latest that is known of one port of one destination.
///
/// Packed to 11 bytes, since there may be 65,536 of them to a pod.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(2))]
pub(super) struct Probe {
    /// When it came to its outcome, or was sent while there is none.
    at: Time,
    outcome: Outcome,
    /// A packet is on its way and neither answered nor refused yet.
    awaited: bool,
    technique: Option<Technique>,
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// Nothing yet.
    None,
    /// An answer.
    Answered,
    /// Nothing in time.
    Silent,
    /// A refusal.
    Refused,
}

impl Outcome {
    pub(super) const fn failed(self) -> bool {
        matches!(self, Self::Silent | Self::Refused)
    }
}

impl Probe {
    pub(super) const fn at(self) -> Time {
        self.at
    }

    pub(super) const fn outcome(self) -> Outcome {
        self.outcome
    }

    /// When the packet passed that told the latest of it.
    pub(super) fn passed_at(self, silence: Duration) -> Time {
        match self.outcome {
            Outcome::Silent => self.at - silence,
            Outcome::None | Outcome::Answered | Outcome::Refused => self.at,
        }
    }

    pub(super) const fn technique(self) -> Option<Technique> {
        self.technique
    }
}

impl Destination {
    /// Makes sure that the port is remembered; true when it was not.
    pub(super) fn reach(&mut self, port: u16, at: Time) -> bool {
        let Entry::Vacant(entry) = self.probes.entry(port) else {
            return false;
        };
        entry.insert(Probe {
            at,
            outcome: Outcome::None,
            awaited: false,
            technique: None,
        });
        true
    }

    /// A probe was sent; true when none was on its way yet.
    pub(super) fn send(&mut self, port: u16, technique: Technique) -> bool {
        let Some(probe) = self.probes.get_mut(&port) else {
            return false;
        };
        probe.technique = Some(technique);
        let first = !probe.awaited;
        probe.awaited = true;
        first
    }

    /// Stops waiting for what comes of the probe `sent` then; true when nothing has.
    pub(super) fn give_up(&mut self, port: u16, sent: Time) -> bool {
        let Some(probe) = self.probes.get_mut(&port) else {
            return false;
        };
        let settled = probe.outcome != Outcome::None && probe.at() >= sent;
        probe.awaited = false;
        !settled
    }

    /// Whether `outcome` can be of a probe that was sent: nobody refuses what has been answered.
    pub(super) fn expects(&self, port: u16, outcome: Outcome) -> bool {
        self.probes.get(&port).is_some_and(|probe| {
            probe.technique.is_some()
                && (probe.awaited
                    || probe.outcome != Outcome::Answered
                    || outcome == Outcome::Answered)
        })
    }

    /// The port came to an outcome; true when it fails and had not failed before.
    pub(super) fn settle(&mut self, port: u16, at: Time, outcome: Outcome) -> bool {
        let Some(probe) = self.probes.get_mut(&port) else {
            return false;
        };
        let before = probe.outcome.failed().then_some(probe.at);
        match (before, outcome.failed()) {
            (_, true) => self.failed.seen(before, at),
            (Some(before), false) => self.failed.forget(before),
            (None, false) => {}
        }
        match (before, outcome.failed()) {
            (None, true) => self.failing += 1,
            (Some(_), false) => self.failing -= 1,
            _ => {}
        }
        probe.at = at;
        probe.outcome = outcome;
        probe.awaited = false;
        before.is_none() && outcome.failed()
    }

    pub(super) fn failed(&self, now: Time) -> PerHorizon {
        self.failed.counts(now)
    }

    /// How much would be lost with it: the more, the later it makes room.
    pub(super) const fn weight(&self) -> u32 {
        if self.crossed { u32::MAX } else { self.failing }
    }

    pub(super) fn knows(&self, port: u16) -> bool {
        self.probes.contains_key(&port)
    }

    /// The ports with something known since `start`, in no order.
    pub(super) fn since(&self, start: Time) -> impl Iterator<Item = (u16, Probe)> {
        let probes = self.probes.iter().map(|(&port, &probe)| (port, probe));
        probes.filter(move |(_, probe)| probe.at() >= start)
    }

    /// Forgets the ports of which nothing has been known since `start`; how many these were.
    pub(super) fn sweep(&mut self, start: Time) -> usize {
        let before = self.probes.len();
        let failing = &mut self.failing;
        self.probes.retain(|_, probe| {
            let keep = probe.awaited || probe.at() >= start;
            *failing -= u32::from(!keep && probe.outcome.failed());
            keep
        });
        if self.probes.len() < self.probes.capacity() / 4 {
            self.probes.shrink_to_fit();
        }
        before - self.probes.len()
    }

    pub(super) fn len(&self) -> usize {
        self.probes.len()
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.probes.allocation_size()
    }
}
