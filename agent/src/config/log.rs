//! What is logged, and how.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use super::{error::ConfigError, setting::Setting};

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What is logged, and how; always on standard error.
#[derive(Clone, Debug)]
pub struct Log {
    filter: EnvFilter,
    format: LogFormat,
}

impl Log {
    pub(super) fn new(filter: &Setting, format: &Setting) -> Result<Self, ConfigError> {
        Ok(Self {
            filter: EnvFilter::builder().parse(&filter.text).map_err(|_| {
                filter.refuse(
                    "it takes a level or pairs of target and level, such as agent=debug,warn",
                )
            })?,
            format: format.choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)])?,
        })
    }

    /// Starts logging, for the whole process.
    pub fn install(self) {
        let log = tracing_subscriber::fmt()
            .with_env_filter(self.filter)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr);
        match self.format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
    }
}
