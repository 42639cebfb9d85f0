//! The events that a sensor is silent, that it is not any more, and of a scan that was asked for.

use std::time::SystemTime;

use api::v1;

use crate::{deliver::Agent, interfaces::CANARY};

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
        let nanoseconds = self.since.duration_since(SystemTime::UNIX_EPOCH);
        let serial = nanoseconds.unwrap_or_default().as_nanos();
        v1::Event {
            anomaly_id: format!("{}/{}/canary/{serial}", self.node, self.epoch),
            state: state.into(),
            severity: v1::Severity::High.into(),
            summary,
            ..of_canary(&self.node, self.since, now)
        }
    }
}

/// How a scan went that began then, for whoever asked for it by this id; nobody else is to be alarmed.
pub(super) fn tested(agent: &Agent, id: &str, how: &v1::Canary, began: SystemTime) -> v1::Event {
    let node = &agent.node;
    let summary = if how.found {
        format!(
            "a test: the sensor on node {node} found its scan; it counted {} of {} packets from the pod, and {} of \
             {} to it",
            how.packets_counted, how.packets_sent, how.packets_counted_back, how.packets_sent_back
        )
    } else {
        format!(
            "a test: the sensor on node {node} did not find a scan: {}",
            how.reason
        )
    };
    let ended = how.at.and_then(|at| SystemTime::try_from(at).ok());
    v1::Event {
        anomaly_id: format!("{node}/{}/selftest/{id}", agent.epoch),
        state: v1::State::Closed.into(),
        severity: v1::Severity::Info.into(),
        shadow: true,
        summary,
        ..of_canary(node, began, ended.unwrap_or(began))
    }
}

fn of_canary(node: &str, since: SystemTime, now: SystemTime) -> v1::Event {
    let (since, now) = (Some(since.into()), Some(now.into()));
    v1::Event {
        detector: "canary".into(),
        raised_at: now,
        crossed_at: since,
        first_seen: since,
        last_seen: now,
        source: Some(v1::Endpoint {
            interface: CANARY.into(),
            node: node.to_owned(),
            ..v1::Endpoint::default()
        }),
        ..v1::Event::default()
    }
}
