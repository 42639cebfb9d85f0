//! What a detector is called, and what it looks for, for who does not know it.

use api::{
    actions::CONTAINMENT,
    correlations::{DEPENDENCY_DOWN, DISTRIBUTED_SCAN, WORKLOAD_SWEEP},
    triage::TRIAGE,
};

/// `port_scan` is "Port scan".
pub(super) fn title(detector: &str) -> String {
    let words = detector.replace('_', " ");
    let mut characters = words.chars();
    let first = characters.next().map(|it| it.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// Nothing of a detector that is newer than this program.
pub(super) fn about(detector: &str) -> &'static str {
    let ours = match detector {
        CONTAINMENT => "What was done about a pod, or should be.",
        TRIAGE => "What people made of an anomaly.",
        DISTRIBUTED_SCAN => "Several pods scan one target.",
        WORKLOAD_SWEEP => "Several pods of one workload scan.",
        DEPENDENCY_DOWN => "Many pods fail towards one target in the same way: it is down.",
        _ => "",
    };
    detect::about(detector).unwrap_or(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_is_called_by_its_name_in_words() {
        for (detector, expected) in [
            ("port_scan", "Port scan"),
            ("dga", "Dga"),
            ("", ""),
            ("éa", "éa"),
        ] {
            assert_eq!(title(detector), expected);
        }
        for detector in detect::DETECTORS.iter().chain(&[
            CONTAINMENT,
            TRIAGE,
            DISTRIBUTED_SCAN,
            WORKLOAD_SWEEP,
            DEPENDENCY_DOWN,
        ]) {
            assert!(about(detector).ends_with('.'), "{detector}");
        }
        assert_eq!(about("newer"), "");
    }
}
