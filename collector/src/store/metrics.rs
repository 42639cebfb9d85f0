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

/// What one commit changed.
#[derive(Debug, Default)]
pub(super) struct Committed {
    pub(super) stored: u64,
    pub(super) duplicates: u64,
    pub(super) lost: u64,
    /// Of those stored, what the collector raised itself.
    pub(super) raised: u64,
    /// Of the events.
    pub(super) bytes: usize,
    /// The last cursor given, if one was.
    pub(super) cursor: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stored: Counter,
    duplicates: Counter,
    lost: Counter,
    failures: Counter,
    duration: Histogram,
    cursor: Gauge,
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
            cursor: Gauge::default(),
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
            "last_cursor",
            "The last cursor of the log",
            inner.cursor.clone(),
        );
        Self(Arc::new(inner))
    }

    pub(super) fn cursor(&self, cursor: u64) {
        self.0.cursor.set(i64::try_from(cursor).unwrap_or(i64::MAX));
    }

    pub(super) fn committed(&self, result: &rusqlite::Result<Committed>, took: Duration) {
        self.0.duration.observe(took.as_secs_f64());
        match result {
            Ok(committed) => {
                self.0.stored.inc_by(committed.stored);
                self.0.duplicates.inc_by(committed.duplicates);
                self.0.lost.inc_by(committed.lost);
                if let Some(cursor) = committed.cursor {
                    self.cursor(cursor);
                }
            }
            Err(_) => {
                self.0.failures.inc();
            }
        }
    }
}
