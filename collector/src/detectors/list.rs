//! How detectors are set, for people.

use std::{collections::BTreeMap, time::SystemTime};

use api::{policy::Policy, v1};
use detect::{Limit, Mode, Quantity, Settings};

use crate::{anomalies::Activity, correlate};

/// What the collector finds itself, for people.
const CORRELATIONS: [(&str, &str); 3] = [
    (
        api::correlations::DISTRIBUTED_SCAN,
        "One target that several pods scan",
    ),
    (
        api::correlations::WORKLOAD_SWEEP,
        "One workload, several pods of which scan",
    ),
    (
        api::correlations::DEPENDENCY_DOWN,
        "One target towards which many pods fail alike",
    ),
];

/// All of them, in the order of the documentation.
pub(super) fn detectors(
    policy: &Policy,
    correlations: &correlate::Settings,
    activity: Vec<Activity>,
) -> Vec<v1::Detector> {
    let mut by_detector: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for it in activity {
        by_detector.entry(it.detector).or_default().push(it.told);
    }
    let mut detectors = Vec::new();
    for id in detect::DETECTORS {
        let (mode, thresholds) = of(&policy.settings, id);
        detectors.push(v1::Detector {
            id: (*id).into(),
            about: detect::about(id).unwrap_or_default().into(),
            mode: mode.name().into(),
            thresholds,
            of_collector: false,
            activity: by_detector.remove(*id).unwrap_or_default(),
        });
    }
    for (id, about) in CORRELATIONS {
        let (mode, thresholds) = correlations.told(id);
        detectors.push(v1::Detector {
            id: id.into(),
            about: about.into(),
            mode: mode.name().into(),
            thresholds,
            of_collector: true,
            activity: by_detector.remove(id).unwrap_or_default(),
        });
    }
    detectors
}

/// What nobody is to be told of, and how often that was so.
pub(super) fn exceptions(
    policy: &Policy,
    hits: &BTreeMap<String, u64>,
    now: SystemTime,
) -> Vec<v1::ExceptionStatus> {
    let exceptions = policy.exceptions.iter();
    let told = exceptions.map(|it| v1::ExceptionStatus {
        name: it.name.clone(),
        owner: it.owner.clone(),
        reason: it.reason.clone(),
        until: it.until.map(Into::into),
        expired: it.until.is_some_and(|until| until <= now),
        hits: hits.get(&it.name).copied().unwrap_or(0),
    });
    told.collect()
}

/// Whom settings of their own hold for, and what they change.
pub(super) fn scopes(policy: &Policy) -> Vec<v1::ScopeStatus> {
    let scopes = policy.scopes.iter();
    let told = scopes.map(|scope| v1::ScopeStatus {
        selector: scope.selector.to_string(),
        settings: changes(&policy.settings, &scope.settings),
    });
    told.collect()
}

fn of(settings: &Settings, id: &str) -> (Mode, Vec<v1::Threshold>) {
    let limits = Settings::limits(id).unwrap_or_default();
    let (mode, values) = settings.values(id).unwrap_or_default();
    let thresholds = limits.into_iter().zip(values);
    let told = thresholds.map(|(limit, value)| v1::Threshold {
        key: limit.key.into(),
        value: written(value),
        default: written(limit.default),
        takes: takes(&limit),
    });
    (mode, told.collect())
}

fn changes(base: &Settings, own: &Settings) -> Vec<String> {
    let mut changes = Vec::new();
    for id in detect::DETECTORS {
        let (before, after) = (of(base, id), of(own, id));
        if before.0 != after.0 {
            changes.push(format!("{id}.mode: {}", after.0));
        }
        for (before, after) in before.1.iter().zip(&after.1) {
            if before.value != after.value {
                changes.push(format!("{id}.{}: {}", after.key, after.value));
            }
        }
    }
    changes
}

fn takes(limit: &Limit) -> String {
    let about = limit.about;
    let (least, most) = (written(limit.least), written(limit.most));
    format!("{about}; from {least} to {most}")
}

/// As a policy writes it.
fn written(quantity: Quantity) -> String {
    match quantity {
        Quantity::Count(count) => count.to_string(),
        Quantity::Duration(duration) => humantime::format_duration(duration).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use api::policy::Time;

    use super::*;

    const POLICY: &str = "detectors:\n  port_scan: {mode: shadow, failed_ports_per_minute: 11}\n\
        scopes:\n- namespaces: [a]\n  detectors:\n    port_scan: {mode: on}\n    ip_sweep: {quiet: 90s}\n\
        exceptions:\n- {name: x, owner: o, reason: r, until: 2027-01-15T08:00:00Z}\n";

    #[test]
    fn all_that_is_set_is_told_as_a_policy_writes_it() {
        let policy = Policy::read("p", POLICY, Time::Before, &[]).unwrap();
        let told = detectors(&policy, &correlate::Settings::default(), Vec::new());
        assert_eq!(told.len(), detect::DETECTORS.len() + CORRELATIONS.len());
        let scan = told.iter().find(|it| it.id == "port_scan").unwrap();
        assert_eq!(scan.mode, "shadow");
        let limit = |key: &str| scan.thresholds.iter().find(|it| it.key == key).unwrap();
        assert_eq!(limit("failed_ports_per_minute").value, "11");
        assert_ne!(limit("failed_ports_per_minute").default, "11");
        // What is told can be written into a policy.
        let mut text = String::from("detectors:\n");
        for detector in told.iter().filter(|it| !it.of_collector) {
            text += &format!("  {}:\n    mode: {}\n", detector.id, detector.mode);
            for it in &detector.thresholds {
                text += &format!("    {}: {}\n", it.key, it.value);
            }
        }
        let again = Policy::read("p", &text, Time::Before, &[]).unwrap();
        assert_eq!(again.settings, policy.settings);
        let [scope] = &scopes(&policy)[..] else {
            panic!("one scope");
        };
        assert_eq!(scope.selector, "namespace a");
        assert_eq!(scope.settings.len(), 2, "{:?}", scope.settings);
        assert!(scope.settings.contains(&"port_scan.mode: on".to_owned()));
        let hits = BTreeMap::from([("x".to_owned(), 7)]);
        let late = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_900_000_000);
        let excepted = exceptions(&policy, &hits, late);
        assert!(excepted[0].expired && excepted[0].hits == 7);
    }
}
