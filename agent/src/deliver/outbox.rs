//! Where events are raised: to the spool and to the subscribers, at once.

use std::sync::Arc;

use api::v1;
use tokio::sync::watch;
use tracing::info;

use super::{
    Metrics,
    recent::Recent,
    spool::{Spool, SpoolError, Spooling, Told},
};

/// Events kept for those who subscribe to the agent itself.
const RECENT: usize = 1024;

/// Takes events from the loop that raises them. Clones share one spool, which is closed with the last.
#[derive(Clone, Debug)]
pub struct Outbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// None without a collector: what nobody fetches is not kept.
    spool: Option<Spool>,
    recent: Arc<Recent>,
    metrics: Metrics,
}

impl Outbox {
    /// An outbox whose events a [`Publisher`](super::Publisher) fetches.
    ///
    /// # Errors
    /// When the directory that was asked for cannot be used, or another agent uses it.
    pub fn open(spooling: &Spooling, metrics: Metrics) -> Result<Self, SpoolError> {
        let spool = Spool::open(spooling, metrics.clone())?;
        Ok(Self::with(Some(spool), metrics))
    }

    /// An outbox for an agent without a collector: its events are for subscribers alone.
    #[must_use]
    pub fn standalone(metrics: Metrics) -> Self {
        Self::with(None, metrics)
    }

    fn with(spool: Option<Spool>, metrics: Metrics) -> Self {
        Self {
            shared: Arc::new(Shared {
                spool,
                recent: Arc::new(Recent::new(RECENT)),
                metrics,
            }),
        }
    }

    /// Hands an event over to the spool and to all subscribers. Never waits for a disk.
    pub fn raise(&self, event: v1::Event) {
        info!(
            anomaly = event.anomaly_id,
            state = event.state().as_str_name(),
            severity = event.severity().as_str_name(),
            summary = event.summary,
            "raised an event"
        );
        let event = Arc::new(event);
        self.shared.metrics.raised.inc();
        self.shared.recent.push(Arc::clone(&event));
        if let Some(spool) = &self.shared.spool {
            spool.raise(event);
        }
    }

    /// The latest epoch of which anything waits, or was delivered: a new one must be later.
    #[must_use]
    pub fn newest_epoch(&self) -> u64 {
        self.spool().map_or(0, Spool::newest_epoch)
    }

    /// Up to which sequence the events raised through this outbox are on the disk.
    #[must_use]
    pub fn spooled(&self) -> watch::Receiver<u64> {
        self.spool()
            .map_or_else(|| watch::channel(0).1, Spool::spooled)
    }

    /// Events and gaps that the collector has not acknowledged.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.spool()
            .map_or(0, |spool| spool.told().borrow().pending)
    }

    /// Bytes that they take, on the disk and in memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.spool()
            .map_or(0, |spool| spool.told().borrow().status.bytes)
    }

    /// Waits until the collector has acknowledged all events; at once when there is no collector.
    pub async fn drained(&self) {
        self.wait_for(|told| told.pending == 0).await;
    }

    /// Waits until all events are on the disk, or the disk takes none; says whether they are.
    pub async fn flushed(&self) -> bool {
        let is_volatile = |told: &Told| told.status.durability() == v1::Durability::Volatile;
        self.wait_for(|told| told.is_flushed || is_volatile(told))
            .await;
        self.spool()
            .is_some_and(|spool| spool.told().borrow().is_flushed)
    }

    /// The status with what the outbox knows.
    #[must_use]
    pub fn complete(&self, status: v1::NodeStatus) -> v1::NodeStatus {
        let Some(spool) = self.spool() else {
            return status;
        };
        let told = spool.told().borrow().clone();
        v1::NodeStatus {
            events_pending: told.pending,
            spool: Some(told.status),
            ..status
        }
    }

    pub(super) fn spool(&self) -> Option<&Spool> {
        self.shared.spool.as_ref()
    }

    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.shared.recent)
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    async fn wait_for(&self, condition: impl FnMut(&Told) -> bool) {
        if let Some(spool) = self.spool() {
            // The sender lives in `self`, so it cannot be gone.
            let mut told = spool.told();
            let _gone = told.wait_for(condition).await;
        }
    }
}
