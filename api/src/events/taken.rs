//! From what was done about a pod to what crosses the wire.

use std::time::SystemTime;

use prost_types::Timestamp;

use crate::{actions::CONTAINMENT, summary, v1};

/// One step in the life of a containment, or one that was not taken.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Of the event.
    pub id: v1::EventId,
    /// Same for all events of one containment.
    pub anomaly_id: String,
    /// Which step.
    pub state: v1::State,
    /// How bad.
    pub severity: v1::Severity,
    /// Whose traffic.
    pub source: v1::Endpoint,
    /// What was done, why, and on whose command.
    pub action: v1::Action,
    /// Events of this kind that were held back since the last one.
    pub withheld: u64,
}

impl Taken {
    /// The event, raised now, of what is so since then.
    #[must_use]
    pub fn event(self, now: SystemTime, since: SystemTime) -> v1::Event {
        let (now, since) = (Timestamp::from(now), Timestamp::from(since));
        let mut event = v1::Event {
            id: Some(self.id),
            anomaly_id: self.anomaly_id,
            state: self.state.into(),
            detector: CONTAINMENT.into(),
            severity: self.severity.into(),
            raised_at: Some(now),
            crossed_at: Some(since),
            first_seen: Some(since),
            last_seen: Some(now),
            source: Some(self.source),
            withheld: self.withheld,
            action: Some(self.action),
            ..v1::Event::default()
        };
        event.summary = summary::summarize(&event);
        event
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::v1::ActionKind;

    fn taken(kind: ActionKind, by: &str) -> Taken {
        Taken {
            state: v1::State::Opened,
            severity: v1::Severity::High,
            source: v1::Endpoint {
                namespace: "blue".into(),
                pod: "app1".into(),
                ..v1::Endpoint::default()
            },
            action: v1::Action {
                kind: kind.into(),
                reason: "it scanned".into(),
                by: by.into(),
                command_id: by.into(),
                lease_until: Some(Timestamp::from(at(700))),
                ..v1::Action::default()
            },
            ..Taken::default()
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn an_event_says_what_was_done_about_whom_and_why() {
        for (kind, by, expected) in [
            (
                ActionKind::Contained,
                "",
                "contained blue/app1 for 10m: it scanned",
            ),
            (
                ActionKind::Renewed,
                "anna",
                "keeps blue/app1 contained for 10m (commanded by anna): it scanned",
            ),
            (
                ActionKind::Proposed,
                "",
                "proposes to contain blue/app1: it scanned",
            ),
            (
                ActionKind::Refused,
                "",
                "did not contain blue/app1: it scanned",
            ),
            (
                ActionKind::Refused,
                "anna",
                "refused a command about blue/app1 (commanded by anna): it scanned",
            ),
            (
                ActionKind::Held,
                "",
                "held blue/app1 for a moment: it scanned",
            ),
            (
                ActionKind::Expired,
                "",
                "no longer contains blue/app1: it scanned",
            ),
            (
                ActionKind::Released,
                "anna",
                "released blue/app1 (commanded by anna): it scanned",
            ),
        ] {
            let event = taken(kind, by).event(at(100), at(100));
            assert_eq!(event.summary, expected);
        }
    }

    #[test]
    fn a_pod_that_is_named_later_is_called_by_its_name_then() {
        let mut event = taken(ActionKind::Contained, "").event(at(100), at(100));
        event.source.get_or_insert_default().pod = "app2".into();
        let summary = summary::summarize(&event);
        assert_eq!(summary, "contained blue/app2 for 10m: it scanned");
    }
}
