//! Who is turned away, by reason.

use api::transport::{Refused, Reread, Tally};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Of a closed set.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Outcome {
    outcome: &'static str,
}

/// Counts of who was turned away.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(super) denied: Counter,
    refused: Family<Reason, Counter>,
    reread: Family<Outcome, Counter>,
}

impl Metrics {
    /// Adds them to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "denied_requests",
            "Requests turned away because no subscriber made them",
            metrics.denied.clone(),
        );
        registry.register(
            "refused_connections",
            "Connections turned away or ended, and requests that came too fast over one, by reason",
            metrics.refused.clone(),
        );
        registry.register(
            "secrets_reread",
            "Certificates that changed and were read again, by outcome",
            metrics.reread.clone(),
        );
        for it in Refused::ALL {
            let reason = it.name();
            drop(metrics.refused.get_or_create(&Reason { reason }));
        }
        for it in Reread::ALL {
            let outcome = it.name();
            drop(metrics.reread.get_or_create(&Outcome { outcome }));
        }
        metrics
    }
}

impl Tally for Metrics {
    fn refused(&self, refused: Refused) {
        let reason = refused.name();
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    fn reread(&self, reread: Reread) {
        let outcome = reread.name();
        self.reread.get_or_create(&Outcome { outcome }).inc();
    }
}
