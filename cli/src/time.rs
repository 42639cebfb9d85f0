//! Times as people write and read them.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use api::times::known;
pub(crate) use api::times::{seconds, short};
use thiserror::Error;

/// Where the past asked for begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Since {
    Ago(Duration),
    At(SystemTime),
}

#[derive(Debug, Error)]
#[error("neither a duration such as 1h or 90s, nor a time in UTC such as 2026-01-31T12:00:00Z")]
pub(crate) struct SinceError;

impl Since {
    pub(crate) fn before(self, now: SystemTime) -> SystemTime {
        match self {
            Self::Ago(duration) => now
                .checked_sub(duration)
                .map_or(SystemTime::UNIX_EPOCH, |time| {
                    time.max(SystemTime::UNIX_EPOCH)
                }),
            Self::At(time) => time,
        }
    }
}

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        if let Ok(duration) = humantime::parse_duration(text) {
            return Ok(Self::Ago(duration));
        }
        humantime::parse_rfc3339(text)
            .map(Self::At)
            .map_err(|_| SinceError)
    }
}

/// How long before `now`, in whole seconds, for people.
pub(crate) fn ago<T>(timestamp: Option<T>, now: SystemTime) -> String
where
    SystemTime: TryFrom<T>,
{
    known(timestamp).map_or_else(
        || "never".to_owned(),
        |time| {
            // A clock ahead of ours says "0s ago".
            let age = now.duration_since(time).unwrap_or_default().as_secs();
            format!(
                "{} ago",
                humantime::format_duration(Duration::from_secs(age))
            )
        },
    )
}

/// The same in one unit, for a narrow column.
pub(crate) fn age<T>(timestamp: Option<T>, now: SystemTime) -> String
where
    SystemTime: TryFrom<T>,
{
    let Some(time) = known(timestamp) else {
        return "-".to_owned();
    };
    let seconds = now.duration_since(time).unwrap_or_default().as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    #[test]
    fn since_is_a_duration_or_a_time() {
        let now = SystemTime::UNIX_EPOCH + NOW;
        let cases = [
            ("1h", Some(NOW - Duration::from_secs(3600))),
            ("90s", Some(NOW - Duration::from_secs(90))),
            ("2027-01-15T08:00:00Z", Some(NOW)),
            (
                "2027-01-15T08:00:00.5Z",
                Some(NOW + Duration::from_millis(500)),
            ),
            ("100y", Some(Duration::ZERO)),
            ("yesterday", None),
            ("2027-01-15", None),
            ("2027-01-15T08:00:00+02:00", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let since = text.parse::<Since>().ok().map(|since| since.before(now));
            assert_eq!(
                since,
                expected.map(|age| SystemTime::UNIX_EPOCH + age),
                "{text}"
            );
        }
    }
}
