//! The forms of an answer: a table, a wider one, or what machines read.

use std::io;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::{output::Output, server::ServerError};

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// A line for each.
    #[default]
    Compact,
    /// The same with more columns.
    Wide,
    /// One JSON document.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Why an answer is not printed.
#[derive(Debug, Error)]
pub enum AnswerError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

impl Form {
    /// Prints the document, or what `lines` makes of it for people.
    pub(crate) fn print(
        self,
        output: &mut Output,
        body: &impl Serialize,
        lines: impl FnOnce() -> Vec<String>,
    ) -> Result<(), AnswerError> {
        let document = self.document(body).map_err(io::Error::from)?;
        for line in document.unwrap_or_else(lines) {
            output.line(&line)?;
        }
        Ok(output.flush()?)
    }

    fn document(self, body: &impl Serialize) -> serde_json::Result<Option<Vec<String>>> {
        match self {
            Self::Compact | Self::Wide => Ok(None),
            Self::Json => Ok(Some(vec![serde_json::to_string(body)?])),
            Self::Yaml => {
                let mut lines = Vec::new();
                yaml(&serde_json::to_value(body)?, "", &mut lines);
                Ok(Some(lines))
            }
        }
    }
}

/// Blocks of scalars that are written as JSON writes them, which is YAML too (YAML 1.2, section 1.3).
fn yaml(value: &Value, indent: &str, lines: &mut Vec<String>) {
    let within = format!("{indent}  ");
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                entry(&format!("{indent}{key}:"), value, &within, lines);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let start = lines.len();
                yaml(item, &within, lines);
                if let Some(first) = lines.get_mut(start) {
                    first.replace_range(indent.len()..=indent.len(), "-");
                }
            }
        }
        scalar => lines.push(format!("{indent}{scalar}")),
    }
}

fn entry(key: &str, value: &Value, within: &str, lines: &mut Vec<String>) {
    let is_block = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        lines.push(key.to_owned());
        yaml(value, within, lines);
    } else {
        lines.push(format!("{key} {value}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_says_the_same_as_json() {
        let body = json!({"a": 1, "b": {"c": "x: #y", "d": []}, "e": [{"f": 1, "g": [2, 3]}, "h"]});
        let lines = Form::Yaml.document(&body).unwrap().unwrap();
        let expected = [
            "a: 1",
            "b:",
            "  c: \"x: #y\"",
            "  d: []",
            "e:",
            "  - f: 1",
            "    g:",
            "      - 2",
            "      - 3",
            "  - \"h\"",
        ];
        assert_eq!(lines, expected);
    }
}
