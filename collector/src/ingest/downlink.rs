//! What an agent is told beside acknowledgements, as it comes.

use api::v1::{self, publish_response::Item};
use tokio::sync::{mpsc, watch};

use crate::identity::Followed;

/// One agent's.
pub(super) struct Downlink {
    pub(super) cluster: Followed,
    pub(super) policy: watch::Receiver<Option<v1::Policy>>,
    pub(super) asked: mpsc::Receiver<Item>,
}

impl Downlink {
    /// What to tell next. Cancel safe.
    pub(super) async fn next(&mut self) -> Item {
        loop {
            tokio::select! {
                item = self.cluster.next() => return item,
                Some(item) = self.asked.recv() => return item,
                Ok(()) = self.policy.changed() => {
                    let policy = self.policy.borrow_and_update().clone();
                    if let Some(policy) = policy {
                        return Item::Policy(policy);
                    }
                }
            }
        }
    }
}
