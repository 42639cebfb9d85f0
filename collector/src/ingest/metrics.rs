//! What the intake counts.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Why a stream was refused before its first batch.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Refused {
    Forbidden,
    UnknownNode,
    Malformed,
    TooManyNodes,
    Unavailable,
}

impl Refused {
    const ALL: [Self; 5] = [
        Self::Forbidden,
        Self::UnknownNode,
        Self::Malformed,
        Self::TooManyNodes,
        Self::Unavailable,
    ];
}

impl EncodeLabelValue for Refused {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let reason = match self {
            Self::Forbidden => "forbidden",
            Self::UnknownNode => "unknown_node",
            Self::Malformed => "malformed",
            Self::TooManyNodes => "too_many_nodes",
            Self::Unavailable => "unavailable",
        };
        reason.encode(encoder)
    }
}

#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Reason {
    reason: Refused,
}

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    received: Counter,
    refused: Counter,
    streams: Family<Reason, Counter>,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            received: Counter::default(),
            refused: Counter::default(),
            streams: Family::default(),
        };
        registry.register(
            "received_events",
            "Events that agents sent",
            metrics.received.clone(),
        );
        registry.register(
            "refused_events",
            "Events refused for good, because something in them is wrong",
            metrics.refused.clone(),
        );
        registry.register(
            "refused_streams",
            "Streams of agents refused at their hello, by reason",
            metrics.streams.clone(),
        );
        for reason in Refused::ALL {
            drop(metrics.streams.get_or_create(&Reason { reason }));
        }
        metrics
    }

    pub(super) fn batch(&self, received: usize, refused: usize) {
        self.received
            .inc_by(u64::try_from(received).unwrap_or(u64::MAX));
        self.refused
            .inc_by(u64::try_from(refused).unwrap_or(u64::MAX));
    }

    pub(super) fn stream_refused(&self, reason: Refused) {
        self.streams.get_or_create(&Reason { reason }).inc();
    }
}
