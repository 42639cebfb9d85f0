//! Whether the last change of the policy was taken.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// Whether the last change of the policy was taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(super) success: Gauge,
    pub(super) success_at: Gauge,
    pub(super) reloads: Counter,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        // There is nothing yet that was refused.
        metrics.success.set(1);
        registry.register(
            "config_last_reload_success",
            "Whether the file of --detectors was taken when it was read last",
            metrics.success.clone(),
        );
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "When it was taken last, since 1970; 0 when it never was",
            metrics.success_at.clone(),
        );
        registry.register(
            "config_reloads",
            "Times that file was read because it was new or had changed, taken or refused",
            metrics.reloads.clone(),
        );
        metrics
    }

    pub(super) fn taken(&self, now: SystemTime) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        self.success_at.set(seconds);
        self.success.set(1);
        self.reloads.inc();
    }

    pub(super) fn refused(&self) {
        self.success.set(0);
        self.reloads.inc();
    }
}
