//! YAML that says what the JSON says.

use std::io;

use api::harmless::is_harmful;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_saphyr::DoubleQuoted;

/// One document of a stream, without the end of its last line.
pub(super) fn document(value: &Value) -> io::Result<String> {
    // Folded, a text would lose what it ends with.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(&Yaml(value), options);
    let text = text.map_err(io::Error::other)?;
    Ok(format!("---\n{}", text.trim_end()))
}

struct Yaml<'a>(&'a Value);

impl Serialize for Yaml<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) => Text(text).serialize(serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Yaml)),
            Value::Object(fields) => {
                let fields = fields.iter();
                serializer.collect_map(fields.map(|(key, value)| (Text(key), Yaml(value))))
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

struct Text<'a>(&'a str);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Only there may a character be written as its number.
        match self.0.contains(is_harmful) {
            true => DoubleQuoted(self.0).serialize(serializer),
            false => self.0.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_read_as_what_it_was() {
        let body = json!({
            "a": 1, "b": {"c": "x: #y", "d": [], "e": {}}, "f": [{"g": true, "h": [2, -3.5]}, "on", null],
            "i": "two\nlines\n", "j": "", "k": "18446744073709551616", "l": 18_446_744_073_709_551_615_u64,
            "m": "- no list", "n": "~", "o": "1e3", "p": "x".repeat(500) + " y", "q": " padded ", "r": "word ".repeat(60),
        });
        let text = document(&body).unwrap();
        assert!(text.starts_with("---\n"), "{text}");
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, body, "{text}");
    }
}
