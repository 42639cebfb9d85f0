//! What the log counts.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    metrics::{
        counter::Counter,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use super::plan::Counts;

#[derive(Clone, Debug)]
pub(crate) struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stored: Counter,
    duplicates: Counter,
    lost: Counter,
    failures: Counter,
    duration: Histogram,
    batches: Histogram,
    removed: Counter,
    removed_bytes: Counter,
    connections: Counter,
    notifications: Counter,
    cursor: Gauge,
    horizon: Gauge,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        // From half a millisecond, a fast disk, to two seconds, a broken one.
        let inner = Inner {
            stored: Counter::default(),
            duplicates: Counter::default(),
            lost: Counter::default(),
            failures: Counter::default(),
            duration: Histogram::new(exponential_buckets(0.0005, 2.0, 13)),
            batches: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            removed: Counter::default(),
            removed_bytes: Counter::default(),
            connections: Counter::default(),
            notifications: Counter::default(),
            cursor: Gauge::default(),
            horizon: Gauge::default(),
        };
        registry.register(
            "stored_events",
            "Events committed to the log",
            inner.stored.clone(),
        );
        registry.register(
            "duplicate_events",
            "Events an agent sent again that the log held already",
            inner.duplicates.clone(),
        );
        registry.register(
            "lost_events",
            "Events that agents had to drop, as recorded in gaps",
            inner.lost.clone(),
        );
        registry.register(
            "commit_failures",
            "Commits that failed; the agents send those events again",
            inner.failures.clone(),
        );
        registry.register_with_unit(
            "commit_duration",
            "How long a commit took, with its sync to disk",
            Unit::Seconds,
            inner.duration.clone(),
        );
        registry.register(
            "commit_batches",
            "Batches of agents that were committed together",
            inner.batches.clone(),
        );
        registry.register(
            "retention_removed_events",
            "Events and gaps removed because they were too old or too many",
            inner.removed.clone(),
        );
        registry.register(
            "retention_removed_bytes",
            "Bytes of the events and gaps removed because they were too old or too many",
            inner.removed_bytes.clone(),
        );
        registry.register(
            "database_connections",
            "Connections made to the database's server",
            inner.connections.clone(),
        );
        registry.register(
            "database_notifications",
            "Commits that the database's server told of",
            inner.notifications.clone(),
        );
        registry.register(
            "horizon_cursor",
            "The cursor before the first that is kept",
            inner.horizon.clone(),
        );
        registry.register(
            "last_cursor",
            "The last cursor of the log",
            inner.cursor.clone(),
        );
        Self(Arc::new(inner))
    }

    pub(super) fn bounds(&self, last: u64, horizon: u64) {
        let set = |gauge: &Gauge, cursor| gauge.set(i64::try_from(cursor).unwrap_or(i64::MAX));
        set(&self.0.cursor, last);
        set(&self.0.horizon, horizon);
    }

    pub(super) fn committed(&self, counts: &Counts, batches: usize, took: Duration) {
        let inner = &self.0;
        inner.duration.observe(took.as_secs_f64());
        // A tick, or a try, is no batch.
        if let Ok(batches @ 1..) = u32::try_from(batches) {
            inner.batches.observe(batches.into());
        }
        inner.stored.inc_by(counts.stored);
        inner.duplicates.inc_by(counts.duplicates);
        inner.lost.inc_by(counts.lost);
    }

    pub(super) fn failed(&self, took: Duration) {
        self.0.duration.observe(took.as_secs_f64());
        self.0.failures.inc();
    }

    pub(super) fn removed(&self, events: u64, bytes: u64) {
        self.0.removed.inc_by(events);
        self.0.removed_bytes.inc_by(bytes);
    }

    pub(super) fn connected(&self) {
        self.0.connections.inc();
    }

    pub(super) fn notified(&self) {
        self.0.notifications.inc();
    }
}
