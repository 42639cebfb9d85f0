//! One step of detection: what was observed goes in, and the datapath learns when to wake us up next.

use detect::{Anomaly, Detector, Observation, Time};

use crate::datapath::Datapath;

/// Lets the detector judge an observation, and renews the budget of its subject.
pub fn judge(
    detector: &mut impl Detector,
    datapath: &mut Datapath,
    observation: &Observation,
    now: Time,
    found: &mut Vec<Anomaly>,
) {
    detector.observe(observation, now, found);
    datapath.set_budget(
        observation.subject,
        detector.budget(observation.subject, now),
    );
}
