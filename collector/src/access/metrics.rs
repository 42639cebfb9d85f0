//! What is turned away, by reason.

use api::transport::{Refused, Reread, Tally};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Why a request was.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Denied {
    /// It did not say who asks.
    Nobody,
    /// It speaks for a node that is not its own.
    ForeignNode,
    /// It is no subscriber's.
    Subscriber,
    /// Its token is nobody's.
    Token,
    /// Nobody could say whose its token is.
    NoReview,
    /// It asks for what lies outside of its namespaces.
    Scope,
}

impl Denied {
    const ALL: [Self; 6] = [
        Self::Nobody,
        Self::ForeignNode,
        Self::Subscriber,
        Self::Token,
        Self::NoReview,
        Self::Scope,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::ForeignNode => "foreign_node",
            Self::Subscriber => "subscriber",
            Self::Token => "token",
            Self::NoReview => "no_review",
            Self::Scope => "scope",
        }
    }
}

/// Of a closed set.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    denied: Family<Reason, Counter>,
    refused: Family<Reason, Counter>,
    reread: Family<Outcome, Counter>,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            denied: Family::default(),
            refused: Family::default(),
            reread: Family::default(),
        };
        registry.register(
            "denied_requests",
            "Requests turned away for who made them, by reason",
            metrics.denied.clone(),
        );
        registry.register(
            "refused_connections",
            "Connections turned away or ended, and requests that came too fast over one, by reason",
            metrics.refused.clone(),
        );
        registry.register(
            "secrets_reread",
            "Certificates, revocation lists and subscribers that changed and were read again, by outcome",
            metrics.reread.clone(),
        );
        for denied in Denied::ALL {
            drop(metrics.denied.get_or_create(&reason(denied.name())));
        }
        for refused in Refused::ALL {
            drop(metrics.refused.get_or_create(&reason(refused.name())));
        }
        for reread in Reread::ALL {
            drop(metrics.reread.get_or_create(&outcome(reread.name())));
        }
        metrics
    }

    pub(super) fn denied(&self, denied: Denied) {
        self.denied.get_or_create(&reason(denied.name())).inc();
    }
}

impl Tally for Metrics {
    fn refused(&self, refused: Refused) {
        self.refused.get_or_create(&reason(refused.name())).inc();
    }

    fn reread(&self, reread: Reread) {
        self.reread.get_or_create(&outcome(reread.name())).inc();
    }
}

const fn reason(name: &'static str) -> Reason {
    Reason { reason: name }
}

const fn outcome(name: &'static str) -> Outcome {
    Outcome { outcome: name }
}
