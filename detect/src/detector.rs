//! What every detector is.

use std::time::Duration;

use crate::{
    Anomaly, AnomalyId, Mode, Observation, State, Time,
    baselines::Usual,
    case::Case,
    limits::Thresholds,
    messages::Messages,
    probes::{Probes, Step},
};

/// How many new ports it takes to cross the nearest threshold; at least 1 each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
    /// Ports newly initiated to.
    pub ports: u32,
    /// Ports newly refused.
    pub refused: u32,
}

impl Budget {
    /// Of who need not be woken up.
    pub const UNLIMITED: Self = Self {
        ports: u32::MAX,
        refused: u32::MAX,
    };

    /// The smaller of each.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            ports: self.ports.min(other.ports),
            refused: self.refused.min(other.refused),
        }
    }
}

/// How to say what a detector found; `{}` stands for the targets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Words {
    /// Of an anomaly that opens, as in `scanned {}`.
    pub opened: &'static str,
    /// Of one that goes on, as in `still scans {}`.
    pub updated: &'static str,
    /// Of one that ends, as in `stopped scanning {}`.
    pub closed: &'static str,
    /// What leads from the counts to the samples.
    pub samples: &'static str,
}

/// One detector's view of one pod.
pub(crate) trait Detector: Default {
    /// What its thresholds are.
    type Thresholds: Thresholds;

    /// Its id, as in its key of the configuration.
    const ID: &'static str;

    /// How to say what it found.
    const WORDS: Words;

    /// Whether it runs unless somebody sets it.
    const MODE: Mode = Mode::On;

    /// Takes in an observation and tells what follows from it.
    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Self::Thresholds);

    /// Closes what is open.
    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>);

    /// What the datapath may let pass before it must wake the detector up.
    fn budget(&self, probes: &Probes, now: Time, thresholds: &Self::Thresholds) -> Budget {
        let _ = (probes, now, thresholds);
        Budget::UNLIMITED
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    fn heap_bytes(&self) -> usize;

    /// Since when it needs the probes of the past, if it does.
    fn needs_probes_since(&self) -> Option<Time> {
        None
    }
}

/// What an observation shows, and where it is told what follows from it.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) observation: &'a Observation,
    pub(crate) now: Time,
    pub(crate) steps: &'a [Step],
    pub(crate) messages: &'a Messages,
    pub(crate) probes: &'a mut Probes,
    pub(crate) usual: Usual<'a>,
    pub(crate) serial: &'a mut u64,
    pub(crate) forgotten: &'a mut u64,
    pub(crate) found: &'a mut Vec<Anomaly>,
}

impl Seen<'_> {
    /// Names a new anomaly of the subject.
    pub(crate) const fn next_id(&mut self) -> AnomalyId {
        *self.serial += 1;
        AnomalyId {
            subject: self.observation.subject,
            serial: *self.serial,
        }
    }

    /// Lets an open anomaly take its next step; true when that was its last.
    pub(crate) fn live(&mut self, case: &mut Option<Box<Case>>, quiet: Duration) -> bool {
        let Some(open) = case else {
            return false;
        };
        let forgotten = self.probes.forgotten;
        let state = open.step(self.observation, forgotten, self.now, quiet);
        let pod = self.probes.pod;
        self.found
            .extend(state.map(|state| open.anomaly(state, pod)));
        let closed = state == Some(State::Closed);
        if closed {
            *case = None;
        }
        closed
    }
}
