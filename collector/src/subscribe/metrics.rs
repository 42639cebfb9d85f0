//! What subscribers are counted by.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(super) subscribers: Gauge,
    pub(super) refused: Counter,
    pub(super) sent: Counter,
    pub(super) tail_failures: Counter,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            subscribers: Gauge::default(),
            refused: Counter::default(),
            sent: Counter::default(),
            tail_failures: Counter::default(),
        };
        registry.register(
            "subscribers",
            "Subscribers that are connected",
            metrics.subscribers.clone(),
        );
        registry.register(
            "refused_subscribers",
            "Subscribers turned away because there were too many",
            metrics.refused.clone(),
        );
        registry.register(
            "sent_events",
            "Events sent to subscribers, all together",
            metrics.sent.clone(),
        );
        registry.register(
            "tail_failures",
            "Reads of the end of the log that failed, and were tried again",
            metrics.tail_failures.clone(),
        );
        metrics
    }
}
