//! Whether the last change of the policy was taken, and what exceptions have kept back.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Whether the last change of the policy was taken, and what exceptions have kept back.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    success: Gauge,
    success_at: Gauge,
    reloads: Counter,
    pub(super) hits: Family<ByException, Counter>,
}

/// As many as a policy may have.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(super) struct ByException {
    pub(super) exception: String,
}

impl Metrics {
    /// Adds them to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "config_last_reload_success",
            "Whether the last change of how the detectors are set was taken",
            metrics.success.clone(),
        );
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "When the last one was taken, since 1970",
            metrics.success_at.clone(),
        );
        registry.register(
            "config_reloads",
            "Changes of how the detectors are set that came, taken or refused",
            metrics.reloads.clone(),
        );
        registry.register(
            "exception_hits",
            "Events that nobody was told of, by the exception of the policy in force",
            metrics.hits.clone(),
        );
        metrics
    }

    /// There is a series for this exception from now on.
    pub(crate) fn show(&self, exception: &str) {
        drop(self.hits.get_or_create(&label(exception)));
    }

    #[cfg(test)]
    pub(super) fn success(&self) -> i64 {
        self.success.get()
    }

    pub(super) fn taken(&self, now: SystemTime) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        self.success_at.set(seconds);
        self.success.set(1);
    }

    /// `is_good` when nothing stands refused.
    pub(super) fn reloaded(&self, taken: Option<SystemTime>, is_good: bool) {
        self.reloads.inc();
        if let Some(now) = taken {
            self.taken(now);
        }
        self.success.set(i64::from(is_good));
    }
}

pub(super) fn label(exception: &str) -> ByException {
    ByException {
        exception: exception.to_owned(),
    }
}
