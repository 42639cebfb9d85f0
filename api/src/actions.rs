//! How it is said what was done about a pod.

use std::time::{Duration, SystemTime};

use crate::v1::{self, ActionKind};

/// The detector of events that tell of what was done about a pod.
pub const CONTAINMENT: &str = "containment";

/// What was done about whom, and why; `source` is how he is called.
pub(crate) fn sentence(event: &v1::Event, action: &v1::Action, source: &str) -> String {
    let left = lease(event, action);
    let for_lease = left
        .as_ref()
        .map(|it| format!(" for {it}"))
        .unwrap_or_default();
    let done = match action.kind() {
        ActionKind::Unspecified => format!("did something about {source}"),
        ActionKind::Proposed => format!("proposes to contain {source}"),
        ActionKind::Contained => format!("contained {source}{for_lease}"),
        ActionKind::Renewed => format!("keeps {source} contained{for_lease}"),
        ActionKind::Released => format!("released {source}"),
        ActionKind::Expired => format!("no longer contains {source}"),
        ActionKind::Refused if action.command_id.is_empty() => format!("did not contain {source}"),
        ActionKind::Refused => format!("refused a command about {source}"),
        ActionKind::Held => format!("held {source} for a moment"),
    };
    let by = match &action.by[..] {
        "" => String::new(),
        by => format!(" (commanded by {by})"),
    };
    format!("{done}{by}: {}", action.reason)
}

fn lease(event: &v1::Event, action: &v1::Action) -> Option<humantime::FormattedDuration> {
    let until = SystemTime::try_from(action.lease_until?).ok()?;
    let now = SystemTime::try_from(event.raised_at?).ok()?;
    let left = until.duration_since(now).ok()?;
    // A lease is written down a moment before it is told.
    let seconds = left.as_secs() + u64::from(left.subsec_millis() >= 500);
    Some(humantime::format_duration(Duration::from_secs(seconds)))
}
