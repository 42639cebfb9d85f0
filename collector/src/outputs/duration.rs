//! Durations as people write them.

use std::time::Duration;

use serde::Deserialize as _;

/// As in `30s`; none when it is left out.
pub(super) fn duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let read = |text: String| {
        humantime::parse_duration(&text).map_err(|error| {
            serde::de::Error::custom(format!(
                "`{text}` is no duration: {error}; write one like 30s"
            ))
        })
    };
    text.map(read).transpose()
}
