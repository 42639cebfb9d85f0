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
    pub(super) connected: Gauge,
    pub(super) connection_failures: Counter,
    pub(super) subscribers: Gauge,
    pub(super) subscribers_refused: Counter,
    pub(super) lost: Counter,
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
        metrics
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
