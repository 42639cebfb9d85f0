//! The event that a sensor is silent, and that it is not any more.

use std::time::SystemTime;

use api::v1;

use crate::interfaces::CANARY;

/// Since when a sensor has found none of its scans.
#[derive(Clone, Debug)]
pub(super) struct Silence {
    pub(super) node: String,
    /// Of the agent.
    pub(super) epoch: u64,
    pub(super) since: SystemTime,
}

impl Silence {
    pub(super) fn begins(&self, reason: &str) -> v1::Event {
        let summary = format!(
            "the sensor on node {} is silent: {reason}; what pods do there goes unseen. `picket doctor` says what \
             is attached; restart the agent of the node",
            self.node
        );
        self.event(v1::State::Opened, summary, self.since)
    }

    pub(super) fn ends(&self, now: SystemTime) -> v1::Event {
        let lasted = now.duration_since(self.since).unwrap_or_default();
        let lasted = std::time::Duration::from_secs(lasted.as_secs());
        let summary = format!(
            "the sensor on node {} sees again, after {}",
            self.node,
            humantime::format_duration(lasted)
        );
        self.event(v1::State::Closed, summary, now)
    }

    fn event(&self, state: v1::State, summary: String, now: SystemTime) -> v1::Event {
        let (since, now) = (Some(self.since.into()), Some(now.into()));
        let nanoseconds = self.since.duration_since(SystemTime::UNIX_EPOCH);
        let serial = nanoseconds.unwrap_or_default().as_nanos();
        v1::Event {
            anomaly_id: format!("{}/{}/canary/{serial}", self.node, self.epoch),
            state: state.into(),
            detector: "canary".into(),
            severity: v1::Severity::High.into(),
            raised_at: now,
            crossed_at: since,
            first_seen: since,
            last_seen: now,
            source: Some(v1::Endpoint {
                interface: CANARY.into(),
                node: self.node.clone(),
                ..v1::Endpoint::default()
            }),
            summary,
            ..v1::Event::default()
        }
    }
}
