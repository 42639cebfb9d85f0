//! Holds that came to nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use detect::{Subject, Time};

/// Whoever was held in vain is not held again within this time.
const RESPITE: Duration = Duration::from_secs(10 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Those of late.
#[derive(Debug, Default)]
pub(super) struct Vain {
    /// When each was let go.
    last: BTreeMap<Subject, Time>,
    /// All of the last minute.
    recent: VecDeque<Time>,
}

impl Vain {
    pub(super) fn add(&mut self, subject: Subject, now: Time) {
        self.last.retain(|_, at| now.since(*at) < RESPITE);
        self.recent.retain(|at| now.since(*at) < MINUTE);
        self.last.insert(subject, now);
        self.recent.push_back(now);
    }

    /// Whether the subject is not to be held again yet.
    pub(super) fn is_of_late(&self, subject: Subject, now: Time) -> bool {
        let last = self.last.get(&subject);
        last.is_some_and(|at| now.since(*at) < RESPITE)
    }

    /// How many there were within the last minute.
    pub(super) fn of_late(&self, now: Time) -> usize {
        let recent = self.recent.iter();
        recent.filter(|at| now.since(**at) < MINUTE).count()
    }
}
