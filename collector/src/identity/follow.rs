//! What one agent is told of its node's pods and the cluster's Services, as it changes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use api::{
    parts::parts,
    v1::{self, publish_response::Item},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{Identity, services, table};

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
    seen_pods: Option<u64>,
    seen_services: Option<u64>,
    revision: watch::Receiver<u64>,
    services: watch::Receiver<u64>,
    synchronized: watch::Receiver<bool>,
    /// Parts that are not told yet.
    waiting: VecDeque<Item>,
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
            seen_pods: None,
            seen_services: None,
            revision,
            services,
            synchronized,
            waiting: VecDeque::new(),
            pods_at: Some(now),
            services_at: Some(now),
        }
    }

    /// What to tell next. Cancel safe. What is not known yet is not told: an agent has its own memory.
    #[expect(clippy::disallowed_methods, reason = "paces what one stream is told")]
    pub(crate) async fn next(&mut self) -> Item {
        if let Some(item) = self.waiting.pop_front() {
            return item;
        }
        // Its sender lives as long as the identity, which this holds.
        drop(self.synchronized.wait_for(|known| *known).await);
        loop {
            tokio::select! {
                () = due(self.pods_at) => {
                    self.pods_at = None;
                    self.revision.mark_unchanged();
                    self.pods();
                    if let Some(item) = self.waiting.pop_front() {
                        return item;
                    }
                }
                () = due(self.services_at) => {
                    self.services_at = None;
                    self.services.mark_unchanged();
                    self.services();
                    if let Some(item) = self.waiting.pop_front() {
                        return item;
                    }
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

    fn pods(&mut self) {
        let (revision, news) = self.identity.news(&self.node, self.seen_pods);
        self.seen_pods = Some(revision);
        let (pods, mut forgotten, mut whole) = match news {
            table::News::Whole(pods) => (pods, Vec::new(), true),
            table::News::Changes(changes) => (changes.pods, changes.forgotten, false),
        };
        if !whole && pods.is_empty() && forgotten.is_empty() {
            return;
        }
        for (pods, more) in parts(pods) {
            self.waiting.push_back(match std::mem::take(&mut whole) {
                true => Item::Pods(v1::PodTable { pods, more }),
                false => Item::PodChanges(v1::PodChanges {
                    pods,
                    forgotten: std::mem::take(&mut forgotten),
                    more,
                }),
            });
        }
    }

    fn services(&mut self) {
        let (revision, news) = self.identity.services(self.seen_services);
        self.seen_services = Some(revision);
        let (services, mut forgotten, mut whole) = match news {
            services::News::Whole(services) => (services, Vec::new(), true),
            services::News::Changes(changes) => (changes.services, changes.forgotten, false),
        };
        if !whole && services.is_empty() && forgotten.is_empty() {
            return;
        }
        for (services, more) in parts(services) {
            self.waiting.push_back(match std::mem::take(&mut whole) {
                true => Item::Services(v1::ServiceTable { services, more }),
                false => Item::ServiceChanges(v1::ServiceChanges {
                    services,
                    forgotten: std::mem::take(&mut forgotten),
                    more,
                }),
            });
        }
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
