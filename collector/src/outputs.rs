//! Outputs: the events, to those who do not ask for them. Each is a cursor into the log that moves after its
//! destination took what lies before, so that one that is away loses nothing and delays nobody.

mod alertmanager;
mod clock;
mod destination;
mod duration;
mod entry;
mod file;
mod http;
mod list;
mod metrics;
mod otlp;
mod output;
mod pace;
mod reader;
mod refusal;
mod runner;
mod sample;
mod sender;
mod settings;
mod slack;
mod syslog;
mod template;
mod webhook;
mod worker;

pub use list::{Outputs, OutputsError};
pub(crate) use metrics::Metrics;
pub(crate) use runner::Runner;
