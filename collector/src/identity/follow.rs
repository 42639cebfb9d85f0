//! What one agent is told of its node's pods and the cluster's Services, as it changes.

use std::{sync::Arc, time::Duration};

use api::v1::{self, publish_response::Item};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Identity,
    table::{News, TOLD},
};

/// Changes that come together are told together.
const TOGETHER: Duration = Duration::from_millis(50);
/// Services change for all nodes at once.
const SERVICES: Duration = Duration::from_secs(5);

/// One agent's view.
#[derive(Debug)]
pub(crate) struct Followed {
    identity: Arc<Identity>,
    node: String,
    /// None until it was told something.
    seen: Option<u64>,
    revision: watch::Receiver<u64>,
    services: watch::Receiver<u64>,
    synchronized: watch::Receiver<bool>,
    /// Not told yet, last first.
    waiting: Vec<v1::PodChanges>,
    pods_at: Option<Instant>,
    services_at: Option<Instant>,
}

impl Followed {
    pub(super) fn new(
        identity: Arc<Identity>,
        node: &str,
        revision: watch::Receiver<u64>,
        services: watch::Receiver<u64>,
        synchronized: watch::Receiver<bool>,
        now: Instant,
    ) -> Self {
        let mut services = services;
        services.mark_unchanged();
        Self {
            identity,
            node: node.to_owned(),
            seen: None,
            revision,
            services,
            synchronized,
            waiting: Vec::new(),
            pods_at: Some(now),
            services_at: Some(now),
        }
    }

    /// What to tell next. Cancel safe. What is not known yet is not told: an agent has its own memory.
    #[expect(clippy::disallowed_methods, reason = "paces what one stream is told")]
    pub(crate) async fn next(&mut self) -> Item {
        if let Some(changes) = self.waiting.pop() {
            return Item::PodChanges(changes);
        }
        // Its sender lives as long as the identity, which this holds.
        drop(self.synchronized.wait_for(|known| *known).await);
        loop {
            tokio::select! {
                () = due(self.pods_at) => {
                    self.pods_at = None;
                    self.revision.mark_unchanged();
                    if let Some(item) = self.pods() {
                        return item;
                    }
                }
                () = due(self.services_at) => {
                    self.services_at = None;
                    self.services.mark_unchanged();
                    return Item::Services(self.identity.services());
                }
                Ok(()) = self.revision.changed(), if self.pods_at.is_none() => {
                    self.pods_at = Some(Instant::now() + TOGETHER);
                }
                Ok(()) = self.services.changed(), if self.services_at.is_none() => {
                    self.services_at = Some(Instant::now() + SERVICES);
                }
                else => std::future::pending().await,
            }
        }
    }

    fn pods(&mut self) -> Option<Item> {
        let (revision, news) = self.identity.news(&self.node, self.seen);
        self.seen = Some(revision);
        let (mut pods, forgotten, whole) = match news {
            News::Whole(pods) => (pods, Vec::new(), true),
            News::Changes(changes) => (changes.pods, changes.forgotten, false),
        };
        if !whole && pods.is_empty() && forgotten.is_empty() {
            return None;
        }
        while pods.len() > TOLD {
            let pods = pods.split_off(pods.len() - TOLD);
            self.waiting.push(v1::PodChanges {
                pods,
                forgotten: Vec::new(),
            });
        }
        Some(match whole {
            true => Item::Pods(v1::PodTable { pods }),
            false => Item::PodChanges(v1::PodChanges { pods, forgotten }),
        })
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
