//! All that the agent counts, in one registry.

use std::fmt;

use prometheus_client::{encoding::text, registry::Registry};

use crate::{access, canary, deliver, interfaces, policy, sentry};

/// Before every name.
const PREFIX: &str = "picket_agent";

/// What each room counts.
#[derive(Debug)]
pub struct Metrics {
    /// Who is turned away.
    pub access: access::Metrics,
    /// How scans of the agent's own went.
    pub canary: canary::Metrics,
    /// Events on their way out.
    pub deliver: deliver::Metrics,
    /// What netlink tells.
    pub interfaces: interfaces::Metrics,
    /// Which policy is in force.
    pub policy: policy::Metrics,
    /// The loop between.
    pub sentry: sentry::Metrics,
}

impl Metrics {
    /// All of them at zero, and the registry that shows them.
    #[must_use]
    pub fn new() -> (Registry, Self) {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = Self {
            access: access::Metrics::register(&mut registry),
            canary: canary::Metrics::register(&mut registry),
            deliver: deliver::Metrics::register(&mut registry),
            interfaces: interfaces::Metrics::register(&mut registry),
            policy: policy::Metrics::register(&mut registry),
            sentry: sentry::Metrics::register(&mut registry),
        };
        (registry, metrics)
    }
}

/// Every metric of the agent at zero, as OpenMetrics text; what has a series for each exception has one, as if there were
/// an exception of that name.
///
/// # Errors
/// When the metrics cannot be written as text.
pub fn exposition() -> Result<String, fmt::Error> {
    let (registry, metrics) = Metrics::new();
    metrics.policy.show("NAME");
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}
