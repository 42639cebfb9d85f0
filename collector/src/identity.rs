//! Who has which address: the pod table, and the names it gives to events.

use api::{pods::Pods, v1};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// The pods of the cluster.
#[derive(Debug)]
pub(crate) struct Identity {
    pods: Pods,
    metrics: Metrics,
}

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    known: Gauge,
    unnamed: Counter,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            known: Gauge::default(),
            unnamed: Counter::default(),
        };
        registry.register("known_pods", "Pods of the pod table", metrics.known.clone());
        registry.register(
            "unnamed_events",
            "Events whose source no pod of the table has",
            metrics.unnamed.clone(),
        );
        metrics
    }
}

impl Identity {
    pub(crate) fn new(pods: Pods, metrics: Metrics) -> Self {
        let known = i64::try_from(pods.len()).unwrap_or(i64::MAX);
        metrics.known.set(known);
        Self { pods, metrics }
    }

    /// Whether the node may publish.
    pub(crate) fn knows_node(&self, node: &str) -> bool {
        self.pods.knows_node(node)
    }

    /// What the agent of the node needs to know.
    pub(crate) fn of_node(&self, node: &str) -> v1::PodTable {
        self.pods.of_node(node)
    }

    /// Names source and targets. What is unknown stays empty.
    pub(crate) fn complete(&self, event: &mut v1::Event) {
        self.pods.complete(event);
        if event
            .source
            .as_ref()
            .is_none_or(|source| source.pod.is_empty())
        {
            self.metrics.unnamed.inc();
        }
    }
}
