//! What the detectors know of what is usual: by which names, since when, and how it is kept.

use std::time::Duration;

use super::{Detectors, pod};
use crate::{Baseline, DamagedBaseline, Subject, baselines::Calendar};

impl Detectors {
    /// The wall time of the origin of [`Time`], since 1970: zero unless it is set. What is usual depends on
    /// the hour of the day and the day of the week, in UTC.
    pub const fn set_origin(&mut self, origin: Duration) {
        self.shared.baselines.calendar = Calendar { origin };
    }

    /// The subject is a replica of this workload: what is usual for one of them is so for all. A subject
    /// without a name is a workload of its own, forgotten with it; what it has learned goes with its first
    /// name, unless that has learned itself.
    pub fn name(&mut self, subject: Subject, workload: &str) {
        self.rename(subject, workload);
        pod(&mut self.pods, subject, &self.settings).is_named = true;
    }

    /// The same, while it is not known which workload it is: by this name it is, until it has one.
    pub fn name_for_now(&mut self, subject: Subject, name: &str) {
        if !pod(&mut self.pods, subject, &self.settings).is_named {
            self.rename(subject, name);
        }
    }

    fn rename(&mut self, subject: Subject, name: &str) {
        let pod = pod(&mut self.pods, subject, &self.settings);
        if pod.workload != name {
            if !pod.is_named {
                self.shared.baselines.rename(&pod.workload, name);
                self.shared.peers.rename(&pod.workload, name);
            }
            name.clone_into(&mut pod.workload);
        }
    }

    /// What is usual for each workload, by their names.
    #[must_use]
    pub fn baselines(&self) -> Vec<Baseline> {
        self.shared.baselines.all()
    }

    /// Takes over what was learned before, in place of all that has been learned.
    ///
    /// # Errors
    /// Names the first that cannot have come of learning. Then nothing is taken over.
    pub fn restore(&mut self, baselines: Vec<Baseline>) -> Result<(), DamagedBaseline> {
        self.shared.baselines.restore(baselines)?;
        self.forgotten += self.shared.baselines.take_forgotten();
        Ok(())
    }

    /// Forgets what is usual for a workload, which begins to learn anew; whether anything was known.
    pub fn reset_baseline(&mut self, workload: &str) -> bool {
        self.shared.baselines.reset(workload)
    }

    /// For how long it has been learned what is usual for a subject. While that is less than the `learning`
    /// of a detector, this one compares with nothing: only its ceiling holds.
    #[must_use]
    pub fn learned(&self, subject: Subject) -> Duration {
        let pod = self.pods.get(&subject);
        pod.map_or(Duration::ZERO, |pod| {
            self.shared.baselines.learned(&pod.workload)
        })
    }
}
