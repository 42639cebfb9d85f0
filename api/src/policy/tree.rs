//! A YAML document as it is written: every value with its line, and scalars as their text.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::refused::Problem;

/// A value and where it is.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

/// A key and where it is.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) line: u64,
    pub(super) text: String,
}

/// Scalars stay text: what they may be, their key says.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Nothing,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// Every document of the text.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, Problem> {
    let options = serde_saphyr::options! { with_snippet: false };
    let read: Result<Vec<Raw>, _> = serde_saphyr::from_multiple_with_options(text, options);
    let documents = read.map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let said = error.to_string();
        // The line is told already.
        let reason = said.split(" at line ").next().unwrap_or(&said);
        Problem::at(line, reason)
    })?;
    Ok(documents.into_iter().map(|raw| raw.resolve(text)).collect())
}

/// As the library hands it out, which has read numbers and truth values already.
struct Raw(Spanned<RawValue>);

enum RawValue {
    Nothing,
    /// Its text is in the document.
    Plain,
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn resolve(self, document: &str) -> Node {
        let Spanned {
            value,
            referenced,
            defined,
        } = self.0;
        let value = match value {
            RawValue::Nothing => Value::Nothing,
            RawValue::Plain => Value::Text(written(document, defined)),
            RawValue::Text(text) => Value::Text(text),
            RawValue::List(items) => {
                let items = items.into_iter();
                Value::List(items.map(|item| item.resolve(document)).collect())
            }
            RawValue::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| {
                    let key = Key {
                        line: key.referenced.line(),
                        text: key.value,
                    };
                    (key, value.resolve(document))
                });
                Value::Map(entries.collect())
            }
        };
        Node {
            line: referenced.line(),
            value,
        }
    }
}

fn written(document: &str, location: Location) -> String {
    let span = location.span();
    let bytes = span.byte_offset().zip(span.byte_len());
    let range = bytes.and_then(|(start, length)| {
        let start = usize::try_from(start).ok()?;
        Some(start..start.checked_add(usize::try_from(length).ok()?)?)
    });
    let text = range.and_then(|range| document.get(range));
    text.unwrap_or_default().to_owned()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<RawValue, E> {
        Ok(RawValue::Nothing)
    }

    fn visit_none<E: de::Error>(self) -> Result<RawValue, E> {
        Ok(RawValue::Nothing)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<RawValue, E> {
        Ok(RawValue::Plain)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<RawValue, E> {
        Ok(RawValue::Plain)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<RawValue, E> {
        Ok(RawValue::Plain)
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<RawValue, E> {
        Ok(RawValue::Plain)
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<RawValue, E> {
        Ok(RawValue::Plain)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<RawValue, E> {
        Ok(RawValue::Plain)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawValue, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(RawValue::Map(map))
    }
}
