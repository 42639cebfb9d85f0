//! What enum values and pods are called, in text and in JSON.

use api::v1;

/// `STATE_OPENED` is "opened"; a value newer than this program is "unspecified".
pub(crate) fn state(event: &v1::Event) -> String {
    short(event.state().as_str_name(), "STATE_")
}

pub(crate) fn severity(severity: v1::Severity) -> String {
    short(severity.as_str_name(), "SEVERITY_")
}

/// A verdict of none of the kinds is "unknown".
pub(crate) fn verdict(verdict: v1::Verdict) -> String {
    match verdict {
        v1::Verdict::Unspecified => "unknown".to_owned(),
        known => short(known.as_str_name(), "VERDICT_"),
    }
}

pub(crate) fn durability(durability: v1::Durability) -> String {
    short(durability.as_str_name(), "DURABILITY_")
}

pub(crate) fn technique(event: &v1::Event) -> String {
    short(event.technique().as_str_name(), "TECHNIQUE_")
}

pub(crate) fn measure(criterion: &v1::Criterion) -> String {
    short(criterion.measure().as_str_name(), "MEASURE_")
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
