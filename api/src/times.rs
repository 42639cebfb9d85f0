//! Times as machines and people read them.

use std::{fmt::Write as _, time::SystemTime};

use crate::v1;

/// In UTC with nanoseconds, for machines; nothing when not known.
#[must_use]
pub fn exact<T>(timestamp: Option<T>) -> Option<String>
where
    SystemTime: TryFrom<T>,
{
    written(humantime::format_rfc3339_nanos(known(timestamp)?))
}

/// In UTC with milliseconds, for people; always as wide as the next.
#[must_use]
pub fn short<T>(timestamp: Option<T>) -> String
where
    SystemTime: TryFrom<T>,
{
    known(timestamp)
        .and_then(|time| written(humantime::format_rfc3339_millis(time)))
        .unwrap_or_else(|| format!("{:24}", "-"))
}

/// In seconds, as protobuf writes a duration in JSON.
#[must_use]
pub fn seconds(duration: v1::Duration) -> String {
    let seconds = duration.seconds as f64 + f64::from(duration.nanos) / 1e9;
    format!("{seconds:.6}s")
}

/// The time, if it is one.
#[must_use]
pub fn known<T>(timestamp: Option<T>) -> Option<SystemTime>
where
    SystemTime: TryFrom<T>,
{
    SystemTime::try_from(timestamp?).ok()
}

/// Nothing for years the format has no digits for, which `to_string` would panic on.
fn written(time: humantime::Rfc3339Timestamp) -> Option<String> {
    let mut text = String::new();
    write!(text, "{time}").ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_no_format_holds_are_not_known() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
        assert_eq!(exact(Some(far)), None);
        assert_eq!(short(Some(far)).trim_end(), "-");
        assert_eq!(
            short(None::<SystemTime>).len(),
            "2027-01-15T08:00:00.000Z".len()
        );
    }
}
