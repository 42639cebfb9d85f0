//! What correlation counts.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(super) raised: Counter,
    pub(super) open: Gauge,
    pub(super) forgotten: Counter,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            raised: Counter::default(),
            open: Gauge::default(),
            forgotten: Counter::default(),
        };
        registry.register(
            "raised_events",
            "Events of several pods' anomalies that the collector raised itself",
            metrics.raised.clone(),
        );
        registry.register(
            "open_correlations",
            "Anomalies of several pods that are open",
            metrics.open.clone(),
        );
        registry.register(
            "forgotten_evidence",
            "Evidence for anomalies of several pods that found no room",
            metrics.forgotten.clone(),
        );
        metrics
    }
}
