//! Where events are raised: to the collector's queue and to the subscribers, at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::v1;
use tokio::sync::{Notify, watch};
use tracing::info;

use super::{Metrics, metrics::Dropped, queue::Queue, recent::Recent};

/// Events kept until the collector has acknowledged them.
const UNACKNOWLEDGED: usize = 10_000;
/// Events kept for those who subscribe to the agent itself.
const RECENT: usize = 1024;

/// Takes events from the loop that raises them. Clones share one queue.
#[derive(Clone, Debug)]
pub struct Outbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// None without a collector: what nobody fetches is not kept.
    queue: Option<Mutex<Queue>>,
    raised: Notify,
    pending: watch::Sender<usize>,
    recent: Arc<Recent>,
    metrics: Metrics,
}

impl Outbox {
    /// An outbox whose events a [`Publisher`](super::Publisher) fetches.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self::with(Some(Mutex::new(Queue::new(UNACKNOWLEDGED))), metrics)
    }

    /// An outbox for an agent without a collector: its events are for subscribers alone.
    #[must_use]
    pub fn standalone(metrics: Metrics) -> Self {
        Self::with(None, metrics)
    }

    fn with(queue: Option<Mutex<Queue>>, metrics: Metrics) -> Self {
        Self {
            shared: Arc::new(Shared {
                queue,
                raised: Notify::new(),
                pending: watch::Sender::new(0),
                recent: Arc::new(Recent::new(RECENT)),
                metrics,
            }),
        }
    }

    /// Hands an event over to the publisher and to all subscribers. Never waits.
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
        if let Some(mut queue) = self.queue() {
            if let Some(victim) = queue.push(event) {
                let label = Dropped::of(victim.severity());
                self.shared.metrics.dropped.get_or_create(&label).inc();
            }
            self.count(&queue);
            drop(queue);
            self.shared.raised.notify_one();
        }
    }

    /// Waits until the collector has acknowledged all events; at once when there is no collector.
    pub async fn drained(&self) {
        let mut pending = self.shared.pending.subscribe();
        // The sender lives in `self`, so it cannot be gone.
        let _gone = pending.wait_for(|pending| *pending == 0).await;
    }

    pub(super) fn pending(&self) -> usize {
        *self.shared.pending.borrow()
    }

    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.shared.recent)
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Waits for an event that is raised after, or shortly before, this is called. Cancel safe.
    pub(super) async fn raised(&self) {
        self.shared.raised.notified().await;
    }

    pub(super) fn has_batch(&self, sent: u64) -> bool {
        self.queue().is_some_and(|queue| queue.has_batch(sent))
    }

    pub(super) fn batch(&self, sent: u64, most: usize) -> (v1::Batch, u64) {
        self.queue()
            .map_or_else(Default::default, |mut queue| queue.batch(sent, most))
    }

    pub(super) fn acknowledge(&self, sequence: u64) {
        self.settle(|queue| queue.acknowledge(sequence));
    }

    pub(super) fn resume(&self, sequence: u64) {
        self.settle(|queue| queue.resume(sequence));
    }

    fn settle(&self, step: impl FnOnce(&mut Queue) -> usize) {
        if let Some(mut queue) = self.queue() {
            let safe = step(&mut queue);
            self.shared.metrics.acknowledged.inc_by(safe as u64);
            self.count(&queue);
        }
    }

    fn count(&self, queue: &Queue) {
        let pending = queue.len();
        self.shared.pending.send_replace(pending);
        self.shared.metrics.pending.set(pending as i64);
    }

    fn queue(&self) -> Option<MutexGuard<'_, Queue>> {
        // Nothing panics while it holds the lock.
        let queue = self.shared.queue.as_ref()?;
        Some(queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
