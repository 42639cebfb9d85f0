//! What anomalies are counted by.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(super) known: Gauge,
    pub(super) open: Gauge,
    pub(super) forgotten: Counter,
    pub(super) triaged: Counter,
    pub(super) failures: Counter,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            known: Gauge::default(),
            open: Gauge::default(),
            forgotten: Counter::default(),
            triaged: Counter::default(),
            failures: Counter::default(),
        };
        registry.register(
            "anomalies",
            "Anomalies that are kept at hand, to be listed",
            metrics.known.clone(),
        );
        registry.register(
            "open_anomalies",
            "Of those, the ones that are open",
            metrics.open.clone(),
        );
        registry.register(
            "forgotten_anomalies",
            "Anomalies no longer at hand for want of room; their events are in the log",
            metrics.forgotten.clone(),
        );
        registry.register(
            "triaged_anomalies",
            "Times somebody said what became of an anomaly",
            metrics.triaged.clone(),
        );
        registry.register(
            "anomalies_read_failures",
            "Reads of the log for the list of anomalies that failed, and were tried again",
            metrics.failures.clone(),
        );
        metrics
    }
}
