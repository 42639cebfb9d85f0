//! One step of detection: what was observed goes in, and the datapath learns when to wake us up next.

use detect::{Anomaly, Detectors, Observation, Time};

use crate::datapath::Datapath;

/// Lets the detectors judge an observation, and renews the budget of its subject.
pub fn judge(
    detectors: &mut Detectors,
    datapath: &mut Datapath,
    observation: &Observation,
    now: Time,
    found: &mut Vec<Anomaly>,
) {
    detectors.observe(observation, now, found);
    datapath.set_budget(
        observation.subject,
        detectors.budget(observation.subject, now),
    );
}
