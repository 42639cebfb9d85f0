//! All that the collector counts, in one registry.

use std::fmt;

use prometheus_client::{encoding::text, registry::Registry};

use crate::{
    access, anomalies, correlate, identity, ingest, nodes, outputs, policy, store, subscribe,
};

/// Before every name.
const PREFIX: &str = "picket_collector";

/// Every metric of the collector at zero, as OpenMetrics text.
///
/// # Errors
/// When the metrics cannot be written as text.
pub fn exposition() -> Result<String, fmt::Error> {
    let (registry, _) = Metrics::new();
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

/// What each room counts.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) access: access::Metrics,
    pub(crate) anomalies: anomalies::Metrics,
    pub(crate) correlate: correlate::Metrics,
    pub(crate) identity: identity::Metrics,
    pub(crate) ingest: ingest::Metrics,
    pub(crate) nodes: nodes::Metrics,
    pub(crate) outputs: outputs::Metrics,
    pub(crate) policy: policy::Metrics,
    pub(crate) store: store::Metrics,
    pub(crate) subscribe: subscribe::Metrics,
}

impl Metrics {
    pub(crate) fn new() -> (Registry, Self) {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = Self {
            access: access::Metrics::new(&mut registry),
            anomalies: anomalies::Metrics::new(&mut registry),
            correlate: correlate::Metrics::new(&mut registry),
            identity: identity::Metrics::new(&mut registry),
            ingest: ingest::Metrics::new(&mut registry),
            nodes: nodes::Metrics::new(&mut registry),
            outputs: outputs::Metrics::new(&mut registry),
            policy: policy::Metrics::new(&mut registry),
            store: store::Metrics::new(&mut registry),
            subscribe: subscribe::Metrics::new(&mut registry),
        };
        (registry, metrics)
    }
}

#[cfg(test)]
mod tests;
