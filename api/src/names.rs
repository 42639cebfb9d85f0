//! What the values of enumerations are called, in text and in JSON.

use crate::{actions::CONTAINMENT, correlations, triage::TRIAGE, v1};

/// The detector of events about the agents' scans of themselves.
pub const CANARY: &str = "canary";

/// Declares how each enumeration is called: without the prefix that protobuf wants, in lower case.
macro_rules! names {
    ($($(#[$doc:meta])* $function:ident: $kind:ty = $prefix:literal;)+) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $function(value: impl Into<i32>) -> String {
            let number = value.into();
            let known = <$kind>::try_from(number);
            known.map_or_else(|_| number.to_string(), |it| short(it.as_str_name(), $prefix))
        })+
    };
}

names! {
    /// `STATE_OPENED` is "opened"; a value newer than this program is its number, as everywhere here.
    state: v1::State = "STATE_";
    /// Of an event.
    severity: v1::Severity = "SEVERITY_";
    /// Where an event was.
    durability: v1::Durability = "DURABILITY_";
    /// What was done about a pod.
    action: v1::ActionKind = "ACTION_KIND_";
    /// What a person made of an anomaly.
    triage: v1::TriageKind = "TRIAGE_KIND_";
    /// What people made of an anomaly so far.
    triage_state: v1::TriageState = "TRIAGE_STATE_";
    /// Whether an anomaly goes on.
    anomaly_state: v1::AnomalyState = "ANOMALY_STATE_";
    /// How it probes.
    technique: v1::Technique = "TECHNIQUE_";
    /// What is counted.
    measure: v1::Measure = "MEASURE_";
    /// Over what a port is spoken to.
    transport: v1::Transport = "TRANSPORT_";
    /// What a vertex of the graph is.
    vertex: v1::VertexKind = "VERTEX_KIND_";
    /// Whether a pod is watched.
    coverage: v1::CoverageState = "COVERAGE_STATE_";
}

/// Every detector that an event of this version can be of.
pub fn detectors() -> impl Iterator<Item = &'static str> {
    let correlated = [
        correlations::DISTRIBUTED_SCAN,
        correlations::WORKLOAD_SWEEP,
        correlations::DEPENDENCY_DOWN,
    ];
    let others = [CANARY, CONTAINMENT, TRIAGE];
    let of_agents = detect::DETECTORS.iter().copied();
    of_agents.chain(correlated).chain(others)
}

/// A verdict of none of the kinds is "unknown".
#[must_use]
pub fn verdict(verdict: v1::Verdict) -> String {
    match verdict {
        v1::Verdict::Unspecified => "unknown".to_owned(),
        known => short(known.as_str_name(), "VERDICT_"),
    }
}

fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

/// The value of an enumeration that a person or a page names by its word, such as `high`; none when there is no
/// such word.
#[must_use]
pub fn of_word<T>(prefix: &str, word: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let is_word = !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    let named = is_word.then(|| format!("{prefix}{}", word.to_ascii_uppercase()))?;
    read(&named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_is_written() {
        let severity = |word: &str| of_word("SEVERITY_", word, v1::Severity::from_str_name);
        assert_eq!(severity("high"), Some(v1::Severity::High));
        for wrong in ["HIGH", "", "higher", "high ", "SEVERITY_HIGH"] {
            assert_eq!(severity(wrong), None, "{wrong}");
        }
        assert_eq!(super::severity(v1::Severity::High), "high");
        assert_eq!(super::severity(77), "77");
        assert_eq!(verdict(v1::Verdict::Unspecified), "unknown");
        assert_eq!(verdict(v1::Verdict::Ok), "ok");
    }
}
