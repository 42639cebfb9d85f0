//! What every detector is.

use crate::{Anomaly, Observation, Subject, Time};

/// A deterministic state machine: the same observations and times give the same anomalies.
pub trait Detector {
    /// Takes in an observation and appends what follows from it to `found`.
    ///
    /// `now` never decreases, and no packet in the observation is later than it.
    fn observe(&mut self, observation: &Observation, now: Time, found: &mut Vec<Anomaly>);

    /// Forgets a subject that is gone, after its last observation, and closes its anomalies.
    fn remove(&mut self, subject: Subject, now: Time, found: &mut Vec<Anomaly>);

    /// What the datapath may let pass before it must wake the detector up.
    fn budget(&self, subject: Subject, now: Time) -> Budget;

    /// Evidence of all subjects so far that found no room in its bounds.
    fn forgotten(&self) -> u64;
}

/// How many new ports it takes to cross the nearest threshold; at least 1 each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
    /// Ports newly initiated to.
    pub ports: u32,
    /// Ports newly refused.
    pub refused: u32,
}
