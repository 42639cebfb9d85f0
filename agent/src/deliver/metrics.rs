//! What delivery counts.

use api::v1;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Counts of events on their way out.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(super) raised: Counter,
    pub(super) pending: Gauge,
    pub(super) acknowledged: Counter,
    pub(super) dropped: Family<Dropped, Counter>,
    pub(super) refused: Counter,
    pub(super) commands_dropped: Counter,
    pub(super) connected: Gauge,
    pub(super) connection_failures: Counter,
    pub(super) subscribers: Gauge,
    pub(super) subscribers_refused: Counter,
    pub(super) lost: Counter,
    merged: Counter,
    missing: Counter,
    gaps: Counter,
    dropped_gaps: Counter,
    bytes: Gauge,
    capacity_bytes: Gauge,
    durable: Gauge,
    damaged: Counter,
    failures: Counter,
}

/// What the spool has counted.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) pending: u64,
    pub(super) acknowledged: u64,
    /// By severity, lowest first.
    pub(super) dropped: [u64; 4],
    pub(super) merged_updates: u64,
    pub(super) missing: u64,
    pub(super) gaps: u64,
    pub(super) dropped_gaps: u64,
    pub(super) bytes: u64,
    pub(super) capacity_bytes: u64,
    pub(super) is_durable: bool,
    pub(super) damaged: u64,
    pub(super) failures: u64,
}

impl Metrics {
    /// Adds them to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("raised_events", "Events raised", metrics.raised.clone());
        registry.register(
            "pending_events",
            "Events the collector has not acknowledged",
            metrics.pending.clone(),
        );
        registry.register(
            "acknowledged_events",
            "Events the collector has acknowledged",
            metrics.acknowledged.clone(),
        );
        for severity in Dropped::ALL {
            drop(metrics.dropped.get_or_create(&Dropped::of(severity)));
        }
        registry.register(
            "dropped_events",
            "Events dropped because too many waited for the collector, by severity",
            metrics.dropped.clone(),
        );
        registry.register(
            "dropped_commands",
            "Commands of people that found no room, too many at once",
            metrics.commands_dropped.clone(),
        );
        registry.register(
            "refused_events",
            "Events the collector refused for good",
            metrics.refused.clone(),
        );
        registry.register(
            "collector_connected",
            "Whether the collector has welcomed the agent",
            metrics.connected.clone(),
        );
        registry.register(
            "collector_connection_failures",
            "Connections to the collector that failed or ended",
            metrics.connection_failures.clone(),
        );
        registry.register(
            "subscribers",
            "Subscribers to this agent",
            metrics.subscribers.clone(),
        );
        registry.register(
            "refused_subscribers",
            "Subscribers turned away because there were too many",
            metrics.subscribers_refused.clone(),
        );
        registry.register(
            "lost_subscriber_events",
            "Events that slow subscribers of this agent were told to have lost",
            metrics.lost.clone(),
        );
        metrics.register_spool(registry);
        metrics
    }

    fn register_spool(&self, registry: &mut Registry) {
        registry.register(
            "merged_updates",
            "Updates that were dropped because a later one of the same anomaly says more",
            self.merged.clone(),
        );
        registry.register(
            "missing_events",
            "Events that were damaged on disk, or lost before they were on disk",
            self.missing.clone(),
        );
        registry.register(
            "gaps",
            "Gaps that tell the collector which events are missing",
            self.gaps.clone(),
        );
        registry.register(
            "dropped_gaps",
            "Gaps dropped because there were too many",
            self.dropped_gaps.clone(),
        );
        registry.register(
            "spool_bytes",
            "Bytes that events take while they wait for the collector",
            self.bytes.clone(),
        );
        registry.register(
            "spool_capacity_bytes",
            "Bytes that they can take",
            self.capacity_bytes.clone(),
        );
        registry.register(
            "spool_durable",
            "Whether they are on disk",
            self.durable.clone(),
        );
        registry.register(
            "spool_damaged_records",
            "Records of the spool that were damaged on disk and skipped",
            self.damaged.clone(),
        );
        registry.register(
            "spool_failures",
            "Times the disk of the spool failed",
            self.failures.clone(),
        );
    }

    /// Shows what the spool has counted, which nobody else counts.
    pub(super) fn report(&self, counts: &Counts) {
        let count = |counter: &Counter, now: u64| {
            counter.inc_by(now.saturating_sub(counter.get()));
        };
        self.pending.set(counts.pending.cast_signed());
        count(&self.acknowledged, counts.acknowledged);
        for (severity, dropped) in Dropped::ALL.into_iter().zip(counts.dropped) {
            let label = Dropped::of(severity);
            count(&self.dropped.get_or_create(&label), dropped);
        }
        count(&self.merged, counts.merged_updates);
        count(&self.missing, counts.missing);
        count(&self.gaps, counts.gaps);
        count(&self.dropped_gaps, counts.dropped_gaps);
        self.bytes.set(counts.bytes.cast_signed());
        self.capacity_bytes.set(counts.capacity_bytes.cast_signed());
        self.durable.set(i64::from(counts.is_durable));
        count(&self.damaged, counts.damaged);
        count(&self.failures, counts.failures);
    }
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(super) struct Dropped {
    severity: &'static str,
}

impl Dropped {
    const ALL: [v1::Severity; 4] = [
        v1::Severity::Info,
        v1::Severity::Low,
        v1::Severity::Medium,
        v1::Severity::High,
    ];

    pub(super) const fn of(severity: v1::Severity) -> Self {
        let severity = match severity {
            v1::Severity::Unspecified | v1::Severity::Info => "info",
            v1::Severity::Low => "low",
            v1::Severity::Medium => "medium",
            v1::Severity::High => "high",
        };
        Self { severity }
    }
}
