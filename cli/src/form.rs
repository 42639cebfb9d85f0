//! The forms of an answer: a line for each, more of it, or what machines read.

mod yaml;

use std::io;

use api::harmless::is_harmful;
use clap::{Args, ValueEnum};
use serde::Serialize;
use thiserror::Error;

use crate::{output::Output, server::ServerError};

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// A line for each.
    #[default]
    Compact,
    /// The same with more of it.
    Wide,
    /// One JSON object a line.
    Json,
    /// The same as YAML, each a document.
    Yaml,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FormArguments {
    /// Print in this form.
    #[arg(long, short, value_name = "FORM", default_value = "compact")]
    output: Form,

    /// The same as --output json.
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

/// Why an answer is not printed.
#[derive(Debug, Error)]
pub enum AnswerError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

impl FormArguments {
    pub(crate) fn form(self) -> Form {
        if self.json { Form::Json } else { self.output }
    }
}

impl Form {
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Compact | Self::Wide)
    }

    /// Prints each object, or what `lines` makes of all for people.
    pub(crate) fn print<T: Serialize>(
        self,
        output: &mut Output,
        objects: impl IntoIterator<Item = T>,
        lines: impl FnOnce() -> Vec<String>,
    ) -> io::Result<()> {
        let lines = match self.is_for_people() {
            true => lines(),
            false => objects
                .into_iter()
                .map(|it| self.object(&it))
                .collect::<io::Result<_>>()?,
        };
        for line in lines {
            output.line(&line)?;
        }
        output.flush()
    }

    /// One object as machines read it: nothing in it acts on a terminal.
    pub(crate) fn object(self, object: &impl Serialize) -> io::Result<String> {
        let text = match self {
            Self::Yaml => yaml::document(&serde_json::to_value(object)?)?,
            Self::Compact | Self::Wide | Self::Json => serde_json::to_string(object)?,
        };
        let is_harmful = |it: char| it != '\n' && is_harmful(it);
        if !text.contains(is_harmful) {
            return Ok(text);
        }
        // They are within quotes, where both forms write them so.
        let escaped = text.chars().map(|it| match is_harmful(it) {
            true => format!("\\u{:04x}", u32::from(it)),
            false => it.to_string(),
        });
        Ok(escaped.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn names_from_elsewhere_order_a_terminal_nothing_and_are_read_back_whole() {
        let name = "a\u{1b}[2J\u{9b}2J\u{202e}b: #c\u{7f}";
        let body = json!({"name": name, "labels": {name: [name, "\u{202e}"]}});
        let text = Form::Json.object(&body).unwrap();
        assert!(!text.contains(is_harmful), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), body);
        let text = Form::Yaml.object(&body).unwrap();
        assert!(
            !text.contains(|it| it != '\n' && is_harmful(it)),
            "{text:?}"
        );
        let read: Value = serde_saphyr::from_str(text.trim_start_matches("---\n")).unwrap();
        assert_eq!(read, body, "{text}");
    }
}
