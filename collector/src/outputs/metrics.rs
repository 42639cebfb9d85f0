//! What each output has sent, and what it could not.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::refusal::Reason;

/// Of the outputs that are configured, a few.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Name {
    output: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct NameAndReason {
    output: String,
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Outcome {
    outcome: &'static str,
}

const TAKEN: Outcome = Outcome { outcome: "taken" };
const BROKEN: Outcome = Outcome { outcome: "broken" };

/// What all outputs count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    delivered: Family<Name, Counter>,
    retries: Family<Name, Counter>,
    dead: Family<NameAndReason, Counter>,
    removed: Family<Name, Counter>,
    lag: Family<Name, Gauge>,
    success: Family<Name, Gauge>,
    reread: Family<Outcome, Counter>,
    serving: Gauge,
}

/// What one of them counts.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) delivered: Counter,
    pub(super) retries: Counter,
    pub(super) removed: Counter,
    dead: [(Reason, Counter); 4],
    lag: Gauge,
    success: Gauge,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "output_delivered_events",
            "Events and gaps that a destination took",
            Told(metrics.delivered.clone()),
        );
        registry.register(
            "output_retries",
            "Times that a destination did not take what it was sent, which is sent again",
            Told(metrics.retries.clone()),
        );
        registry.register(
            "output_dead_letters",
            "Events that an output gave up, by reason",
            Told(metrics.dead.clone()),
        );
        registry.register(
            "output_removed_events",
            "Cursors of the log that retention removed before an output came to them; the destination is told of a gap",
            Told(metrics.removed.clone()),
        );
        registry.register(
            "output_lag_events",
            "Cursors of the log that an output has yet to look at",
            Told(metrics.lag.clone()),
        );
        registry.register(
            "output_success_timestamp_seconds",
            "When a destination took something last, since 1970; 0 when it did not since the start",
            Told(metrics.success.clone()),
        );
        registry.register(
            "outputs_reread",
            "Times that the file of --outputs or a secret in it changed and was read again, by outcome",
            metrics.reread.clone(),
        );
        registry.register(
            "outputs_serving",
            "Whether this collector serves the outputs: of several on one database one does",
            metrics.serving.clone(),
        );
        for outcome in [TAKEN, BROKEN] {
            drop(metrics.reread.get_or_create(&outcome));
        }
        metrics
    }

    pub(super) fn of(&self, output: &str) -> Series {
        let name = Name {
            output: output.to_owned(),
        };
        let counter = |family: &Family<Name, Counter>| family.get_or_create(&name).clone();
        let gauge = |family: &Family<Name, Gauge>| family.get_or_create(&name).clone();
        let dead = |reason: Reason| {
            let labels = NameAndReason {
                output: output.to_owned(),
                reason: reason.name(),
            };
            (reason, self.dead.get_or_create(&labels).clone())
        };
        Series {
            delivered: counter(&self.delivered),
            retries: counter(&self.retries),
            removed: counter(&self.removed),
            dead: Reason::ALL.map(dead),
            lag: gauge(&self.lag),
            success: gauge(&self.success),
        }
    }

    /// Those of outputs that are no more configured.
    pub(super) fn forget(&self, output: &str) {
        let name = Name {
            output: output.to_owned(),
        };
        for family in [&self.delivered, &self.retries, &self.removed] {
            family.remove(&name);
        }
        for family in [&self.lag, &self.success] {
            family.remove(&name);
        }
        for reason in Reason::ALL {
            self.dead.remove(&NameAndReason {
                output: output.to_owned(),
                reason: reason.name(),
            });
        }
    }

    pub(super) fn reread(&self, taken: bool) {
        let outcome = if taken { TAKEN } else { BROKEN };
        self.reread.get_or_create(&outcome).inc();
    }

    pub(super) fn serving(&self, serving: bool) {
        self.serving.set(serving.into());
    }
}

impl Series {
    pub(super) fn took(&self, events: u64, now: SystemTime) {
        self.delivered.inc_by(events);
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.success
            .set(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    }

    pub(super) fn dead(&self, why: Reason, events: u64) {
        for (reason, counter) in &self.dead {
            if *reason == why {
                counter.inc_by(events);
            }
        }
    }

    pub(super) fn lag(&self, events: u64) {
        self.lag.set(i64::try_from(events).unwrap_or(i64::MAX));
    }
}

/// A family that is described also while it has no series.
#[derive(Debug)]
struct Told<M>(M);

impl<M: EncodeMetric> EncodeMetric for Told<M> {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.0.metric_type()
    }

    fn is_empty(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
