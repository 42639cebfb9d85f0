//! What is counted of identity.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// What is watched of the API server.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(super) struct Watch {
    pub(super) resource: &'static str,
}

impl Watch {
    pub(super) const ALL: [&'static str; 6] = [
        "pods",
        "nodes",
        "services",
        "endpointslices",
        "replicasets",
        "jobs",
    ];
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(super) known: Gauge,
    pub(super) services: Gauge,
    pub(super) unnamed: Counter,
    pub(super) dropped: Counter,
    pub(super) synchronized: Family<Watch, Gauge>,
    pub(super) failures: Family<Watch, Counter>,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            known: Gauge::default(),
            services: Gauge::default(),
            unnamed: Counter::default(),
            dropped: Counter::default(),
            synchronized: Family::default(),
            failures: Family::default(),
        };
        registry.register(
            "known_pods",
            "Pods of the pod table, those included that ended of late",
            metrics.known.clone(),
        );
        registry.register(
            "known_services",
            "Services of the cluster",
            metrics.services.clone(),
        );
        registry.register(
            "unnamed_events",
            "Events of a pod's interface of which it is not known whose it is",
            metrics.unnamed.clone(),
        );
        registry.register(
            "dropped_objects",
            "Pods and Services of the cluster that there was no room for",
            metrics.dropped.clone(),
        );
        registry.register(
            "watch_synchronized",
            "Whether all objects of a resource are known as the API server has them",
            metrics.synchronized.clone(),
        );
        registry.register(
            "watch_failures",
            "How often the API server could not be listed or watched, by resource",
            metrics.failures.clone(),
        );
        for resource in Watch::ALL {
            metrics
                .synchronized
                .get_or_create(&Watch { resource })
                .set(0);
            drop(metrics.failures.get_or_create(&Watch { resource }));
        }
        metrics
    }
}
