//! How an agent's last scan of itself went.

use std::time::{Duration, SystemTime};

use api::v1;

/// The longest that an agent may wait between two scans of itself, with what one takes.
const OVERDUE: Duration = Duration::from_secs(6 * 60);

/// How an agent's last scan of itself went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Canary {
    Found,
    Silent,
    /// It did not scan for minutes, or is away.
    Overdue,
    /// It does not scan itself, or cannot.
    Untested,
}

impl Canary {
    pub(super) const ALL: [Self; 4] = [Self::Found, Self::Silent, Self::Overdue, Self::Untested];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Silent => "silent",
            Self::Overdue => "overdue",
            Self::Untested => "untested",
        }
    }

    pub(super) fn of(node: &v1::Node, now: SystemTime) -> Self {
        let canary = node.status.as_ref().and_then(|it| it.canary.as_ref());
        let Some(canary) = canary else {
            return if node.connected {
                Self::Untested
            } else {
                Self::Overdue
            };
        };
        let at = canary.at.and_then(|at| SystemTime::try_from(at).ok());
        let is_late = at.is_none_or(|at| now.duration_since(at).is_ok_and(|age| age > OVERDUE));
        match canary {
            _ if !node.connected || is_late => Self::Overdue,
            canary if canary.found => Self::Found,
            canary if canary.packets_sent == 0 => Self::Untested,
            _ => Self::Silent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_told_by_its_last_scan_and_the_age_of_it() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        let canary = |age: u64, found, packets_sent| {
            Some(v1::Canary {
                at: Some((now - Duration::from_secs(age)).into()),
                found,
                packets_sent,
                ..v1::Canary::default()
            })
        };
        for (connected, canary, expected) in [
            (true, canary(60, true, 32), Canary::Found),
            (true, canary(60, false, 32), Canary::Silent),
            (true, canary(60, false, 0), Canary::Untested),
            (true, canary(400, true, 32), Canary::Overdue),
            (false, canary(1, true, 32), Canary::Overdue),
            (true, None, Canary::Untested),
            (false, None, Canary::Overdue),
        ] {
            let node = v1::Node {
                connected,
                status: Some(v1::NodeStatus {
                    canary,
                    ..v1::NodeStatus::default()
                }),
                ..v1::Node::default()
            };
            assert_eq!(Canary::of(&node, now), expected, "{node:?}");
        }
    }
}
