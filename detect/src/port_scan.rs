//! Finds port scans, by the ports that fail and by the ports there are.

mod destination;
mod destinations;
mod evidence;
mod pod;
mod port_set;
mod recent_ports;
mod report;
mod scan;
mod thresholds;
mod window;

use hashbrown::HashMap;

use self::pod::Pod;
pub use self::thresholds::{Thresholds, ThresholdsError};
use crate::{Anomaly, Budget, Detector, Observation, Subject, Time};

/// The port scan detector.
#[derive(Clone, Debug)]
pub struct PortScan {
    thresholds: Thresholds,
    pods: HashMap<Subject, Pod>,
    serial: u64,
    forgotten: u64,
}

impl PortScan {
    /// The id of the detector.
    pub const ID: &str = "port_scan";

    /// Bytes that what is known of one pod takes at most, whatever it sends.
    pub const POD_BYTES: usize = 4 << 20;

    /// A detector with thresholds that are [valid](Thresholds::validate).
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            pods: HashMap::new(),
            serial: 0,
            forgotten: 0,
        }
    }

    /// Probes of all pods so far that found no room in the bounds.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

impl Detector for PortScan {
    fn observe(&mut self, observation: &Observation, now: Time, found: &mut Vec<Anomaly>) {
        let pod = self.pods.entry(observation.subject).or_default();
        self.forgotten += pod.observe(observation, now, &self.thresholds, &mut self.serial, found);
    }

    fn remove(&mut self, subject: Subject, _now: Time, found: &mut Vec<Anomaly>) {
        found.extend(self.pods.remove(&subject).and_then(|pod| pod.close()));
    }

    fn budget(&self, subject: Subject, now: Time) -> Budget {
        self.pods.get(&subject).map_or_else(
            || Pod::default().budget(now, &self.thresholds),
            |pod| pod.budget(now, &self.thresholds),
        )
    }
}
