//! How the agent's scans of itself went.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// How the agent's scans of itself went.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(super) runs: Counter,
    pub(super) failures: Counter,
    pub(super) silent: Gauge,
    delay: Histogram,
    success_at: Gauge,
}

impl Metrics {
    /// Adds them to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            runs: Counter::default(),
            failures: Counter::default(),
            silent: Gauge::default(),
            delay: Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]),
            success_at: Gauge::default(),
        };
        registry.register(
            "canary_runs",
            "Scans of the agent's own, found or not",
            metrics.runs.clone(),
        );
        registry.register(
            "canary_failures",
            "Scans of the agent's own that were not found, or could not be made",
            metrics.failures.clone(),
        );
        registry.register(
            "canary_silent",
            "Whether the sensor found none of the last scans",
            metrics.silent.clone(),
        );
        registry.register(
            "canary_delay_seconds",
            "How long it took from the first packet of such a scan to its anomaly",
            metrics.delay.clone(),
        );
        registry.register(
            "canary_last_success_timestamp_seconds",
            "When such a scan was found last, since 1970",
            metrics.success_at.clone(),
        );
        metrics
    }

    pub(super) fn found(&self, delay: Duration, now: SystemTime) {
        self.delay.observe(delay.as_secs_f64());
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        self.success_at.set(seconds);
    }
}
