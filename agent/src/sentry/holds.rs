//! Holds in vain that are to be told, and what each has dropped.

use std::collections::BTreeMap;

use detect::Subject;

/// The packets that each has dropped so far.
#[derive(Debug, Default)]
pub(super) struct Holds(BTreeMap<Subject, u64>);

impl Holds {
    /// One that was let go of, and had dropped so many.
    pub(super) fn add(&mut self, subject: Subject, dropped: u64) {
        self.0.insert(subject, dropped);
    }

    /// So many more of the subject were dropped, if it was held.
    pub(super) fn count(&mut self, subject: Subject, dropped: u64) {
        if let Some(so_far) = self.0.get_mut(&subject) {
            *so_far += dropped;
        }
    }

    /// Those that were let go of before this drain, which takes in the last of what they dropped.
    pub(super) fn due(&self) -> Vec<Subject> {
        self.0.keys().copied().collect()
    }

    /// What the subject's has dropped.
    pub(super) fn take(&mut self, subject: Subject) -> Option<u64> {
        self.0.remove(&subject)
    }
}
