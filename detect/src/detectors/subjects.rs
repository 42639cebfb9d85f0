//! How a subject is judged anew, and forgotten.

use std::sync::Arc;

use super::{Detectors, Settings, pod, unnamed};
use crate::{Anomaly, Declared, Subject};

impl Detectors {
    /// Judges a subject by these settings from now on, and closes what was open of detectors that are off by
    /// them. What was seen so far still counts.
    pub fn set(&mut self, subject: Subject, settings: &Arc<Settings>, found: &mut Vec<Anomaly>) {
        let pod = pod(&mut self.pods, subject, settings);
        if !Arc::ptr_eq(&pod.settings, settings) {
            let before = found.len();
            pod.set(Arc::clone(settings), found);
            pod.allowance.end(found, before);
        }
    }

    /// What the cluster's Services declare from now on; what was seen so far still counts.
    pub fn declare(&mut self, declared: Declared) {
        self.shared.declared = Arc::new(declared);
    }

    /// The same of the node's own pods, which come and go more often.
    pub fn declare_by_pods(&mut self, declared: Declared) {
        self.shared.declared_by_pods = Arc::new(declared);
    }

    /// Forgets a subject that is gone, after its last observation, and closes its anomalies.
    pub fn remove(&mut self, subject: Subject, found: &mut Vec<Anomaly>) {
        if let Some(mut pod) = self.pods.remove(&subject) {
            let before = found.len();
            pod.close(found);
            pod.allowance.end(found, before);
            self.shared.baselines.reset(&unnamed(subject));
            if !pod.is_named {
                self.shared.peers.reset(&pod.workload);
            }
        }
    }
}
