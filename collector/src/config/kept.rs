//! Where events are kept, and for how long.

use std::{path::PathBuf, time::Duration};

use crate::store::{Database, DatabaseError, Retain};

const DATABASE: &str = "picket.db";
const AGE: &str = "30d";
const BYTES: &str = "8GiB";

/// Who says so keeps all.
const NONE: &str = "none";

const UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Why a limit cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RetainError {
    /// It is no duration.
    #[error("cannot keep events for `{text}`: write a duration, as in `30d`, or `none`")]
    Age {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: humantime::DurationError,
    },
    /// It is no size.
    #[error(
        "cannot keep `{0}` of events: write a number of B, KiB, MiB, GiB or TiB, as in `10GiB`, or `none`"
    )]
    Bytes(String),
    /// It keeps nothing.
    #[error("cannot keep events for `{0}`: that would keep none; say `none` to keep all")]
    Nothing(String),
}

/// A database as it is named, or the file with its URL.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) database: Option<String>,
    pub(super) url_file: Option<PathBuf>,
}

/// The first that names one, or the default.
pub(super) fn database(named: impl IntoIterator<Item = Named>) -> Result<Database, DatabaseError> {
    for Named { database, url_file } in named {
        match (database, url_file) {
            (Some(_), Some(_)) => return Err(DatabaseError::Two),
            (Some(text), None) => return text.parse(),
            (None, Some(path)) => return Database::read(&path),
            (None, None) => {}
        }
    }
    DATABASE.parse()
}

pub(super) fn retain(age: Option<String>, bytes: Option<String>) -> Result<Retain, RetainError> {
    let limit = |given: Option<String>, usual: &str| {
        let text = given.unwrap_or_else(|| usual.into());
        (text != NONE).then_some(text)
    };
    Ok(Retain {
        age: limit(age, AGE).map(duration).transpose()?,
        bytes: limit(bytes, BYTES).map(size).transpose()?,
    })
}

fn duration(text: String) -> Result<Duration, RetainError> {
    match humantime::parse_duration(&text) {
        Ok(Duration::ZERO) => Err(RetainError::Nothing(text)),
        Ok(age) => Ok(age),
        Err(source) => Err(RetainError::Age { text, source }),
    }
}

fn size(text: String) -> Result<u64, RetainError> {
    let (number, unit) = UNITS
        .into_iter()
        .find_map(|(name, bytes)| Some((text.strip_suffix(name)?, bytes)))
        .unwrap_or((&text, 1));
    let number = number.trim_end().parse().ok();
    match number.and_then(|number: u64| number.checked_mul(unit)) {
        Some(0) => Err(RetainError::Nothing(text)),
        Some(bytes) => Ok(bytes),
        None => Err(RetainError::Bytes(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_their_units() {
        for (text, expected) in [
            ("10GiB", Some(10 << 30)),
            ("64 MiB", Some(64 << 20)),
            ("512B", Some(512)),
            ("512", Some(512)),
            ("0KiB", None),
            ("10GB", None),
            ("GiB", None),
            ("99999999TiB", None),
        ] {
            assert_eq!(size(text.into()).ok(), expected, "{text}");
        }
        let month = duration("30d".into()).unwrap();
        assert_eq!(month, Duration::from_secs(30 * 24 * 60 * 60));
        for text in ["0s", "month", ""] {
            let error = duration(text.into()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn a_database_is_named_once() {
        let twice = Named {
            database: Some("picket.db".into()),
            url_file: Some("url".into()),
        };
        assert!(matches!(database([twice]), Err(DatabaseError::Two)));
        let first = Named {
            database: Some("first.db".into()),
            url_file: None,
        };
        let second = Named {
            database: None,
            url_file: Some("url".into()),
        };
        let named = database([first, second]).unwrap();
        assert_eq!(named.to_string(), "first.db");
    }
}
