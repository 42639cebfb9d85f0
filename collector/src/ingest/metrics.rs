//! What the intake counts.

use std::{error::Error as _, fmt};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tonic::{Code, Status};

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

/// Why a stream ended that its agent did not end.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Ended {
    reason: &'static str,
}

impl Ended {
    const ALL: [&'static str; 6] = [
        "oversized",
        "malformed",
        "aborted",
        "exhausted",
        "unavailable",
        "broken",
    ];

    fn by(status: &Status) -> Self {
        let [
            oversized,
            malformed,
            aborted,
            exhausted,
            unavailable,
            broken,
        ] = Self::ALL;
        let reason = match status.code() {
            // Of our own there is none: this is what HTTP/2 made of a connection that broke.
            _ if status.source().is_some() => broken,
            Code::OutOfRange => oversized,
            Code::InvalidArgument | Code::Internal => malformed,
            Code::Aborted => aborted,
            Code::ResourceExhausted => exhausted,
            Code::Unavailable => unavailable,
            _ => broken,
        };
        Self { reason }
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
    skipped: Counter,
    streams: Family<Reason, Counter>,
    ended: Family<Ended, Counter>,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            received: Counter::default(),
            refused: Counter::default(),
            skipped: Counter::default(),
            streams: Family::default(),
            ended: Family::default(),
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
            "skipped_requests",
            "What newer agents told that this collector does not know, and passed over",
            metrics.skipped.clone(),
        );
        registry.register(
            "refused_streams",
            "Streams of agents refused at their hello, by reason",
            metrics.streams.clone(),
        );
        registry.register(
            "ended_streams",
            "Streams of agents that ended otherwise than by their agents, by reason",
            metrics.ended.clone(),
        );
        for reason in Ended::ALL {
            drop(metrics.ended.get_or_create(&Ended { reason }));
        }
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

    pub(super) fn skipped(&self) {
        self.skipped.inc();
    }

    pub(super) fn stream_ended(&self, status: &Status) {
        self.ended.get_or_create(&Ended::by(status)).inc();
    }

    pub(super) fn stream_refused(&self, reason: Refused) {
        self.streams.get_or_create(&Reason { reason }).inc();
    }
}
