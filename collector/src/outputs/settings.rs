//! The file of outputs, as it is written.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{alertmanager, duration::duration, file, otlp, pace::Rate, slack, syslog, webhook};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) outputs: Vec<Entry>,
}

/// One output, with one of the destinations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: Spanned<String>,
    pub(super) alertmanager: Option<alertmanager::Settings>,
    pub(super) file: Option<file::Settings>,
    pub(super) otlp: Option<otlp::Settings>,
    pub(super) slack: Option<slack::Settings>,
    pub(super) syslog: Option<syslog::Settings>,
    pub(super) webhook: Option<webhook::Settings>,
    #[serde(default)]
    pub(super) filter: Filter,
    #[serde(default)]
    pub(super) from: From,
    pub(super) rate: Option<Rate>,
    #[serde(default)]
    pub(super) retry: Retry,
    #[serde(default, deserialize_with = "duration")]
    pub(super) timeout: Option<Duration>,
}

/// Which events; all by default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filter {
    pub(super) namespaces: Vec<String>,
    pub(super) pods: Vec<String>,
    pub(super) nodes: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) detectors: Vec<String>,
    /// This one and those above.
    pub(super) severity: Option<String>,
    pub(super) states: Vec<String>,
    /// Also what is part of an anomaly of several pods.
    pub(super) correlated: Option<bool>,
    /// Also of detectors that are tried out.
    pub(super) shadow: bool,
}

/// Where a new output begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum From {
    #[default]
    Now,
    Beginning,
}

/// When what was not taken is sent again.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Retry {
    #[serde(deserialize_with = "duration")]
    pub(super) first: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub(super) longest: Option<Duration>,
    /// Never by default.
    #[serde(deserialize_with = "duration")]
    pub(super) give_up: Option<Duration>,
}
