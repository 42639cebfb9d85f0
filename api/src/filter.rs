//! Which events a subscriber asked for.

use crate::v1;

/// Whether the event passes the filter: every set field matches, a repeated one by any value.
///
/// Namespaces, pods and labels are those of the source, or of the first target when the source is unknown. An
/// event without a time is not "since" anything.
#[must_use]
pub fn matches(filter: &v1::Filter, event: &v1::Event) -> bool {
    let subject = subject(event);
    let node = event.id.as_ref().map_or("", |id| &id.node);
    any(
        &filter.namespaces,
        subject.map_or("", |subject| &subject.namespace),
    ) && any(&filter.pods, subject.map_or("", |subject| &subject.pod))
        && any(&filter.nodes, node)
        && any(&filter.detectors, &event.detector)
        && (filter.states.is_empty() || filter.states.contains(&event.state))
        && event.severity >= filter.min_severity
        && filter
            .labels
            .iter()
            .all(|(key, value)| subject.is_some_and(|pod| pod.labels.get(key) == Some(value)))
        && (!filter.exclude_correlated || event.correlated_into.is_empty())
        && filter.since.is_none_or(|since| {
            event
                .raised_at
                .is_some_and(|at| (at.seconds, at.nanos) >= (since.seconds, since.nanos))
        })
}

/// The pod that an event is about: its source, or the first target when the source is unknown.
#[must_use]
pub fn subject(event: &v1::Event) -> Option<&v1::Endpoint> {
    match &event.source {
        Some(source) if *source != v1::Endpoint::default() => Some(source),
        _ => event.targets.first()?.endpoint.as_ref(),
    }
}

/// The same, to be changed.
#[must_use]
pub fn subject_mut(event: &mut v1::Event) -> Option<&mut v1::Endpoint> {
    match &mut event.source {
        Some(source) if *source != v1::Endpoint::default() => Some(source),
        _ => event.targets.first_mut()?.endpoint.as_mut(),
    }
}

fn any(wanted: &[String], value: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| wanted == value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prost_types::Timestamp;

    use super::*;
    use crate::v1::{Severity, State};

    fn event() -> v1::Event {
        v1::Event {
            id: Some(v1::EventId {
                node: "n1".into(),
                epoch: 7,
                sequence: 1,
            }),
            detector: "port_scan".into(),
            state: State::Opened.into(),
            severity: Severity::Medium.into(),
            raised_at: Some(at(100, 5)),
            source: Some(v1::Endpoint {
                namespace: "default".into(),
                pod: "app1".into(),
                labels: labels(&[("app", "shop"), ("tier", "web")]),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    const fn at(seconds: i64, nanos: i32) -> Timestamp {
        Timestamp { seconds, nanos }
    }

    fn names(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_set_field_must_match_and_a_repeated_one_by_any_value() {
        type Set = fn(&mut v1::Filter);
        let cases: [(&str, Set, bool); 21] = [
            ("nothing set", |_| {}, true),
            (
                "its namespace",
                |it| it.namespaces = names(&["blue", "default"]),
                true,
            ),
            (
                "other namespace",
                |it| it.namespaces = names(&["blue"]),
                false,
            ),
            ("its pod", |it| it.pods = names(&["app1"]), true),
            ("part of its pod", |it| it.pods = names(&["app"]), false),
            (
                "its labels",
                |it| it.labels = labels(&[("app", "shop"), ("tier", "web")]),
                true,
            ),
            (
                "only one of its labels",
                |it| it.labels = labels(&[("app", "shop"), ("tier", "db")]),
                false,
            ),
            (
                "a label it lacks",
                |it| it.labels = labels(&[("team", "")]),
                false,
            ),
            ("its node", |it| it.nodes = names(&["n1"]), true),
            ("other node", |it| it.nodes = names(&["n2"]), false),
            (
                "its detector",
                |it| it.detectors = names(&["port_scan"]),
                true,
            ),
            (
                "other detector",
                |it| it.detectors = names(&["host_sweep"]),
                false,
            ),
            (
                "its state",
                |it| it.states = vec![State::Closed.into(), State::Opened.into()],
                true,
            ),
            (
                "other state",
                |it| it.states = vec![State::Closed.into()],
                false,
            ),
            (
                "lower severity",
                |it| it.min_severity = Severity::Low.into(),
                true,
            ),
            (
                "its severity",
                |it| it.min_severity = Severity::Medium.into(),
                true,
            ),
            (
                "higher severity",
                |it| it.min_severity = Severity::High.into(),
                false,
            ),
            ("since that moment", |it| it.since = Some(at(100, 5)), true),
            (
                "since a nanosecond later",
                |it| it.since = Some(at(100, 6)),
                false,
            ),
            (
                "since a second before",
                |it| it.since = Some(at(99, 9)),
                true,
            ),
            (
                "its pod on another node",
                |it| {
                    it.pods = names(&["app1"]);
                    it.nodes = names(&["n2"]);
                },
                false,
            ),
        ];
        for (case, set, expected) in cases {
            let mut filter = v1::Filter::default();
            set(&mut filter);
            assert_eq!(matches(&filter, &event()), expected, "{case}");
        }
    }

    #[test]
    fn what_is_part_of_another_anomaly_is_left_out_on_request() {
        let correlated = v1::Event {
            correlated_into: "@collector/1/dependency_down/1".into(),
            ..event()
        };
        for (exclude_correlated, event, expected) in [
            (false, event(), true),
            (true, event(), true),
            (false, correlated.clone(), true),
            (true, correlated, false),
        ] {
            let filter = v1::Filter {
                exclude_correlated,
                ..Default::default()
            };
            assert_eq!(matches(&filter, &event), expected);
        }
    }

    #[test]
    fn an_event_without_a_source_has_no_namespace() {
        let event = v1::Event {
            source: None,
            ..event()
        };
        let filter = v1::Filter {
            namespaces: names(&["default"]),
            ..Default::default()
        };
        assert!(!matches(&filter, &event));
    }
}
