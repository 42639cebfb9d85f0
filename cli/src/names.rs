//! What enum values and pods are called, in text and in JSON.

use std::{fmt, str::FromStr};

use api::v1;

/// A pod, as the command line names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PodName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl FromStr for PodName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/');
        let is_name = |it: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            !it.is_empty() && it.len() <= 253 && it.chars().all(plain)
        };
        let named = parts.filter(|(namespace, name)| is_name(namespace) && is_name(name));
        let (namespace, name) = named.ok_or("it takes NAMESPACE/POD, such as default/app1")?;
        Ok(Self {
            namespace: namespace.into(),
            name: name.into(),
        })
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// `STATE_OPENED` is "opened"; a value newer than this program is its number, here and below.
pub(crate) fn state(event: &v1::Event) -> String {
    known(event.state, v1::State::as_str_name, "STATE_")
}

pub(crate) fn severity(number: i32) -> String {
    known(number, v1::Severity::as_str_name, "SEVERITY_")
}

/// A verdict of none of the kinds is "unknown".
pub(crate) fn verdict(verdict: v1::Verdict) -> String {
    match verdict {
        v1::Verdict::Unspecified => "unknown".to_owned(),
        known => short(known.as_str_name(), "VERDICT_"),
    }
}

pub(crate) fn coverage_state(state: v1::CoverageState) -> String {
    short(state.as_str_name(), "COVERAGE_STATE_")
}

pub(crate) fn durability(durability: v1::Durability) -> String {
    short(durability.as_str_name(), "DURABILITY_")
}

pub(crate) fn action(kind: v1::ActionKind) -> String {
    short(kind.as_str_name(), "ACTION_KIND_")
}

pub(crate) fn technique(event: &v1::Event) -> String {
    known(event.technique, v1::Technique::as_str_name, "TECHNIQUE_")
}

pub(crate) fn measure(criterion: &v1::Criterion) -> String {
    known(criterion.measure, v1::Measure::as_str_name, "MEASURE_")
}

fn known<T: TryFrom<i32>>(number: i32, name: fn(&T) -> &'static str, prefix: &str) -> String {
    T::try_from(number).map_or_else(|_| number.to_string(), |it| short(name(&it), prefix))
}

pub(crate) fn transport(transport: v1::Transport) -> String {
    short(transport.as_str_name(), "TRANSPORT_")
}

fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

/// Namespace and name of a pod; nothing when not known.
pub(crate) fn pod(namespace: &str, name: &str) -> Option<String> {
    (!name.is_empty()).then(|| format!("{namespace}/{name}"))
}
