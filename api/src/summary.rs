//! One sentence about an event, for people.

use std::{fmt::Write as _, time::Duration};

use detect::{Measure, Words};

use crate::{actions, correlations, triage, v1};

/// How to say what a detector found that this program does not know.
const UNKNOWN: Words = Words {
    opened: "began something with {}",
    updated: "goes on with {}",
    closed: "stopped with {}",
    samples: "such as",
};

/// Says who did what to whom, what was counted, and how.
#[must_use]
pub fn summarize(event: &v1::Event) -> String {
    if let Some(action) = &event.action {
        return with_withheld(event, actions::sentence(event, action, &source(event)));
    }
    if let Some(told) = &event.triage {
        return triage::sentence(told, &source(event));
    }
    let words = detect::words(&event.detector).or_else(|| correlations::words(&event.detector));
    let words = words.unwrap_or(UNKNOWN);
    let (verb, counted) = match event.state() {
        v1::State::Updated => (words.updated, totals(event)),
        v1::State::Closed => (words.closed, totals(event)),
        v1::State::Opened | v1::State::Unspecified => (words.opened, crossing(event)),
    };
    let mut sentence = format!("{} {}", source(event), verb.replace("{}", &targets(event)));
    if event.state() == v1::State::Closed
        && let Some(lifetime) = lifetime(event)
    {
        append(&mut sentence, format_args!(" after {lifetime}"));
    }
    append(&mut sentence, format_args!(": {counted}"));
    if let Some(technique) = technique(event) {
        append(&mut sentence, format_args!(", {technique}"));
    }
    if !event.samples.is_empty() {
        let samples = event.samples.iter().take(3).map(String::as_str);
        let samples = samples.collect::<Vec<_>>().join(", ");
        append(&mut sentence, format_args!(", {} {samples}", words.samples));
    }
    with_withheld(event, sentence)
}

fn with_withheld(event: &v1::Event, mut sentence: String) -> String {
    match event.withheld {
        0 => {}
        1 => append(
            &mut sentence,
            format_args!("; 1 event before was held back"),
        ),
        more => append(
            &mut sentence,
            format_args!("; {more} events before were held back"),
        ),
    }
    sentence
}

fn source(event: &v1::Event) -> String {
    match &event.source {
        Some(source) if *source != v1::Endpoint::default() => endpoint(source),
        _ => correlations::subject(&event.detector).into(),
    }
}

/// The first target stands for all: it has the most failed ports.
fn targets(event: &v1::Event) -> String {
    let mut endpoints = event
        .targets
        .iter()
        .filter_map(|target| target.endpoint.as_ref());
    let Some(first) = endpoints.next() else {
        return "unknown targets".into();
    };
    let listed = u64::try_from(endpoints.count()).unwrap_or(u64::MAX);
    match listed.saturating_add(event.further_targets) {
        0 => endpoint(first),
        1 => format!("{} and 1 other", endpoint(first)),
        others => format!("{} and {others} others", endpoint(first)),
    }
}

fn endpoint(endpoint: &v1::Endpoint) -> String {
    let v1::Endpoint {
        namespace,
        pod,
        address,
        interface,
        workload,
        service,
        node,
        unknown,
        ..
    } = endpoint;
    if !workload.is_empty() {
        return format!("the pods of {namespace}/{workload}");
    }
    if pod.is_empty() && !address.is_empty() {
        return match (service.is_empty(), node.is_empty(), unknown.is_empty()) {
            (false, _, _) => format!("service {namespace}/{service} ({address})"),
            (true, false, _) => format!("node {node} ({address})"),
            (true, true, false) => format!("an unknown pod ({address})"),
            (true, true, true) => address.clone(),
        };
    }
    match (pod.is_empty(), address.is_empty()) {
        (true, _) if !node.is_empty() => format!("node {node}"),
        (true, _) => format!("the pod behind {interface}"),
        (false, true) => format!("{namespace}/{pod}"),
        (false, false) => format!("{namespace}/{pod} ({address})"),
    }
}

fn crossing(event: &v1::Event) -> String {
    let mut text = String::new();
    if let Some(crossed) = &event.crossed {
        text = format!("{} {}", crossed.counted, measure(event));
        if let Some(window) = crossed.window.and_then(|it| Duration::try_from(it).ok()) {
            append(&mut text, format_args!(" within {}", rounded(window)));
        }
        append(
            &mut text,
            format_args!(" (threshold {})", crossed.threshold),
        );
    }
    match event.ports.as_ref().map_or(0, |ports| ports.distinct) {
        0 => append(&mut text, format_args!(", {} so far", event.counted)),
        distinct => append(
            &mut text,
            format_args!(", {distinct} distinct ports so far"),
        ),
    }
    text
}

fn totals(event: &v1::Event) -> String {
    let none = v1::PortCounts::default();
    let ports = event.ports.as_ref().unwrap_or(&none);
    let when = match event.state() {
        v1::State::Closed => "in all",
        _ => "so far",
    };
    if ports.distinct == 0 {
        return format!("{} {} {when}", event.counted, measure(event));
    }
    format!(
        "{} distinct ports {when} ({} refused, {} silent, {} answered)",
        ports.distinct, ports.refused, ports.silent, ports.answered
    )
}

/// What an event counts, to go behind a number.
#[must_use]
pub fn measure(event: &v1::Event) -> &'static str {
    let measure = event.crossed.as_ref().map_or(0, |crossed| crossed.measure);
    let index = usize::try_from(measure).unwrap_or(0).checked_sub(1);
    index
        .and_then(|index| Measure::ALL.get(index))
        .map_or("things counted", |measure| measure.name())
}

fn lifetime(event: &v1::Event) -> Option<humantime::FormattedDuration> {
    let nanoseconds =
        |at: prost_types::Timestamp| i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos);
    let elapsed = nanoseconds(event.last_seen?) - nanoseconds(event.first_seen?);
    let elapsed = u64::try_from(elapsed).ok()?;
    Some(rounded(Duration::from_nanos(elapsed)))
}

/// Nobody reads the nanoseconds of a minute.
fn rounded(duration: Duration) -> humantime::FormattedDuration {
    let rounded = if duration >= Duration::from_secs(1) {
        Duration::from_secs(duration.as_secs())
    } else {
        Duration::from_millis(u64::from(duration.subsec_millis()).max(1))
    };
    humantime::format_duration(rounded)
}

fn technique(event: &v1::Event) -> Option<&'static str> {
    match event.technique() {
        v1::Technique::Unspecified => None,
        v1::Technique::TcpConnect => Some("connect probes"),
        v1::Technique::TcpSyn => Some("SYN probes"),
        v1::Technique::TcpNull => Some("NULL probes"),
        v1::Technique::TcpFin => Some("FIN probes"),
        v1::Technique::TcpXmas => Some("Xmas probes"),
        v1::Technique::TcpOther => Some("probes with odd flags"),
        v1::Technique::TcpAck => Some("ACK or window probes"),
        v1::Technique::TcpMaimon => Some("Maimon probes"),
        v1::Technique::TcpSynAck => Some("SYN-ACK probes"),
        v1::Technique::TinyFragment => Some("probes in tiny fragments"),
        v1::Technique::Udp => Some("UDP probes"),
        v1::Technique::SctpInit => Some("SCTP INIT probes"),
        v1::Technique::SctpCookieEcho => Some("SCTP COOKIE ECHO probes"),
        v1::Technique::Ping => Some("pings"),
        v1::Technique::IpProtocol => Some("raw IP"),
        v1::Technique::Neighbour => Some("address resolution"),
    }
}

#[expect(
    clippy::let_underscore_must_use,
    reason = "writing to a string cannot fail"
)]
fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(more);
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn pod(namespace: &str, pod: &str, address: &str) -> v1::Endpoint {
        v1::Endpoint {
            namespace: namespace.into(),
            pod: pod.into(),
            address: address.into(),
            ..Default::default()
        }
    }

    fn target(endpoint: v1::Endpoint) -> v1::Target {
        v1::Target {
            endpoint: Some(endpoint),
            ..Default::default()
        }
    }

    fn event() -> v1::Event {
        v1::Event {
            state: v1::State::Opened.into(),
            detector: "port_scan".into(),
            source: Some(pod("default", "app1", "10.244.147.92")),
            targets: vec![target(pod("blue", "app2", "10.244.147.93"))],
            crossed: Some(v1::Criterion {
                measure: v1::Measure::FailedPortsPerDestination.into(),
                counted: 10,
                threshold: 10,
                window: Some(prost_types::Duration {
                    seconds: 60,
                    nanos: 0,
                }),
            }),
            ports: Some(v1::PortCounts {
                distinct: 12,
                refused: 9,
                answered: 2,
                silent: 1,
                ..v1::PortCounts::default()
            }),
            technique: v1::Technique::TcpSyn.into(),
            first_seen: Some(Timestamp {
                seconds: 100,
                nanos: 900_000_000,
            }),
            last_seen: Some(Timestamp {
                seconds: 112,
                nanos: 0,
            }),
            ..Default::default()
        }
    }

    #[track_caller]
    fn check(event: &v1::Event, expected: &str) {
        assert_eq!(summarize(event), expected);
    }

    #[test]
    fn an_opening_event_tells_the_count_against_the_threshold() {
        check(
            &event(),
            "default/app1 (10.244.147.92) scanned blue/app2 (10.244.147.93): 10 ports failed \
             within 1m (threshold 10), 12 distinct ports so far, SYN probes",
        );
        let mut hour = event();
        hour.crossed = Some(v1::Criterion {
            measure: v1::Measure::DistinctPorts.into(),
            counted: 500,
            threshold: 400,
            window: Some(prost_types::Duration {
                seconds: 3600,
                nanos: 0,
            }),
        });
        check(
            &hour,
            "default/app1 (10.244.147.92) scanned blue/app2 (10.244.147.93): 500 distinct ports \
             within 1h (threshold 400), 12 distinct ports so far, SYN probes",
        );
    }

    #[test]
    fn what_several_pods_do_is_told_of_them_together() {
        let correlated = |detector: &str, measure: v1::Measure| {
            let mut event = event();
            event.detector = detector.into();
            event.source = Some(v1::Endpoint::default());
            event.ports = None;
            event.technique = v1::Technique::Unspecified.into();
            event.crossed.get_or_insert_default().measure = measure.into();
            event.samples = vec!["default/app1".into()];
            event.counted = 10;
            event
        };
        check(
            &correlated("distributed_scan", v1::Measure::Sources),
            "several pods together scanned blue/app2 (10.244.147.93): 10 sources within 1m \
             (threshold 10), 10 so far, such as default/app1",
        );
        check(
            &correlated("dependency_down", v1::Measure::Pods),
            "several pods fail towards blue/app2 (10.244.147.93) alike, which looks down: 10 pods \
             within 1m (threshold 10), 10 so far, such as default/app1",
        );
        let mut event = correlated("workload_sweep", v1::Measure::Pods);
        event.source = Some(v1::Endpoint {
            workload: "web".into(),
            ..pod("default", "", "")
        });
        event.state = v1::State::Closed.into();
        check(
            &event,
            "the pods of default/web stopped scanning blue/app2 (10.244.147.93) from several nodes \
             after 11s: 10 pods in all, such as default/app1",
        );
    }

    #[test]
    fn later_events_tell_the_totals() {
        let mut event = event();
        event.state = v1::State::Updated.into();
        check(
            &event,
            "default/app1 (10.244.147.92) still scans blue/app2 (10.244.147.93): 12 distinct \
             ports so far (9 refused, 1 silent, 2 answered), SYN probes",
        );
        event.state = v1::State::Closed.into();
        check(
            &event,
            "default/app1 (10.244.147.92) stopped scanning blue/app2 (10.244.147.93) after 11s: \
             12 distinct ports in all (9 refused, 1 silent, 2 answered), SYN probes",
        );
    }

    #[test]
    fn what_is_unknown_is_not_invented() {
        let mut event = event();
        event.technique = v1::Technique::Unspecified.into();
        event.state = v1::State::Closed.into();
        event.first_seen = None;
        event.source = Some(v1::Endpoint {
            interface: "veth7".into(),
            ..Default::default()
        });
        event.targets = Vec::new();
        check(
            &event,
            "the pod behind veth7 stopped scanning unknown targets: 12 distinct ports in all \
             (9 refused, 1 silent, 2 answered)",
        );
    }

    #[test]
    fn the_first_target_is_named_and_the_others_are_counted() {
        let mut event = event();
        event.state = v1::State::Updated.into();
        event.source = Some(pod("", "", "10.0.0.1"));
        event.targets = ["10.0.0.2", "10.0.0.3"]
            .map(|address| target(pod("", "", address)))
            .to_vec();
        for (further, words) in [(0, "1 other"), (3, "4 others")] {
            event.further_targets = further;
            let expected = format!("10.0.0.1 still scans 10.0.0.2 and {words}: ");
            assert!(
                summarize(&event).starts_with(&expected),
                "{}",
                summarize(&event)
            );
        }
    }
}
