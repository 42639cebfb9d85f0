//! What must be done before the agent is ready.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Ready when nothing is pending any more. Clones share what is pending.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    pending: Arc<Mutex<BTreeSet<&'static str>>>,
}

/// Something is pending until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it says that it is done"]
pub struct Pending {
    readiness: Readiness,
    task: &'static str,
}

impl Readiness {
    /// Not ready before `task` is done; each task has a name of its own.
    pub fn wait_for(&self, task: &'static str) -> Pending {
        self.lock().insert(task);
        Pending {
            readiness: self.clone(),
            task,
        }
    }

    /// What is pending, sorted.
    #[must_use]
    pub fn pending(&self) -> Vec<&'static str> {
        self.lock().iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        // Nothing panics while it holds the lock.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.readiness.lock().remove(self.task);
    }
}
