//! What became of commands, on its way to the collector.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use api::v1;
use tokio::sync::Notify;

/// Those that wait; whoever commanded waits no longer than that for his answer.
const WAITING: usize = 64;

/// What became of commands. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Outcomes(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<VecDeque<v1::CommandOutcome>>,
    told: Notify,
}

impl Outcomes {
    /// Tells the collector, as soon as it is there. Of too many the oldest is forgotten.
    pub fn tell(&self, outcome: v1::CommandOutcome) {
        let mut waiting = self.waiting();
        if waiting.len() == WAITING {
            waiting.pop_front();
        }
        waiting.push_back(outcome);
        self.0.told.notify_one();
    }

    /// The next one to tell. Cancel safe.
    pub(super) async fn next(&self) -> v1::CommandOutcome {
        loop {
            let next = self.waiting().pop_front();
            match next {
                Some(outcome) => return outcome,
                None => self.0.told.notified().await,
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<v1::CommandOutcome>> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }
}
