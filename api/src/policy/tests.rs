//! What a policy may say, and what is said of one that may not.

use std::time::Duration;

use detect::Mode;

use super::*;
use crate::selector::Selector;

/// Half a year before the exceptions of these tests end.
const NOW: Duration = Duration::from_secs(1_785_000_000);

fn new() -> Time {
    Time::New {
        now: SystemTime::UNIX_EPOCH + NOW,
    }
}

fn lines(text: &str) -> Vec<String> {
    let read = Policy::read("policy.yaml", text, new(), &[]);
    read.err().map_or_else(Vec::new, |it| it.lines().collect())
}

const GOOD: &str = "\
silence: 1s
detectors:
  port_scan: {failed_ports_per_minute: 11}
  ip_sweep: {mode: shadow, quiet: 5m}
  protocol_scan: {mode: off}
nodes:
  detectors:
    ip_sweep: {failed_hosts_per_minute: 50}
scopes:
- namespaces: [monitoring]
  labels: {app: prometheus, replicas: 3}
  detectors:
    ip_sweep: {mode: off}
- namespaces: [monitoring]
  service_accounts: [scanner]
  labels: {app: other}
  detectors: {}
exceptions:
- name: nightly
  owner: security@example.com
  reason: the nightly scan of our own
  detectors: [port_scan]
  namespaces: [security]
  targets: [10.0.0.0/8, 192.0.2.1, 'fd00::/8']
  until: 2027-01-31T12:00:00Z
containment:
  mode: act
  lease: 5m
  max_share_percent: 20
  protected:
  - {namespaces: [payments]}
";

#[test]
fn all_that_it_may_say_is_taken_in() {
    let policy = Policy::read("policy.yaml", GOOD, new(), &[]).unwrap();
    assert_eq!(policy.settings.outcomes.silence, Duration::from_secs(1));
    let port_scan = &policy.settings.port_scan;
    assert_eq!(port_scan.thresholds.failed_ports_per_minute, 11);
    assert_eq!(policy.settings.ip_sweep.mode, Mode::Shadow);
    assert_eq!(policy.settings.protocol_scan.mode, Mode::Off);
    let prometheus = v1::Pod {
        namespace: "monitoring".into(),
        labels: [("app", "prometheus"), ("replicas", "3")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..v1::Pod::default()
    };
    let settings = policy.settings(Some(&prometheus));
    assert_eq!(settings.ip_sweep.mode, Mode::Off);
    let quiet = settings.ip_sweep.thresholds.quiet;
    assert_eq!(quiet, Duration::from_secs(300), "what holds for all");
    assert_eq!(policy.settings(None).ip_sweep.mode, Mode::Shadow);
    let nodes = &policy.nodes;
    assert_eq!(nodes.outcomes.silence, Duration::from_secs(1));
    assert_eq!(nodes.ip_sweep.thresholds.failed_hosts_per_minute, 50);
    assert_eq!(nodes.ip_sweep.mode, Mode::On, "what is set for pods");
    assert_eq!(nodes.port_scan.thresholds.failed_ports_per_minute, 20);
    assert_eq!(nodes.bytes_in.mode, Mode::Off);
    let [exception] = &policy.exceptions[..] else {
        panic!("{:?}", policy.exceptions);
    };
    assert_eq!(exception.name, "nightly");
    let targets: Vec<_> = exception.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]);
    assert_eq!(policy.containment.mode, contain::Mode::Act);
    assert_eq!(policy.containment.lease, Duration::from_secs(300));
    assert_eq!(
        policy.containment.protected[0].to_string(),
        "namespace payments"
    );
}

#[test]
fn nothing_leaves_the_defaults() {
    for text in ["", "# nothing\n", "detectors:\nscopes: []\n"] {
        let policy = Policy::read("policy.yaml", text, new(), &[]).unwrap();
        assert_eq!(*policy.settings, Settings::default(), "{text:?}");
    }
}

#[test]
fn a_wrong_document_is_refused_with_its_line_and_the_reason() {
    let exception = "exceptions:\n- name: a\n  owner: b\n  reason: c\n";
    let with = |more: &str| format!("{exception}{more}");
    let cases = [
        (
            "detectors:\n  port_scan: [11]\n".to_owned(),
            "2: detectors.port_scan takes keys with values, as in `key: value`",
        ),
        (
            "detectors:\n  port_scan:\n    quiet: {a: b}\n".to_owned(),
            "3: detectors.port_scan.quiet takes one value",
        ),
        (
            "nodes:\n  port_scan: {}\n".to_owned(),
            "2: nodes.port_scan: there is no such key; there are detectors",
        ),
        (
            "nodes:\n  detectors:\n    port_scan: {quiet: x}\n".to_owned(),
            "3: nodes.detectors.port_scan.quiet = `x`: it takes a duration",
        ),
        (
            "\ndetector: {}\n".to_owned(),
            "2: detector: there is no such key; there are silence, detectors, ",
        ),
        (
            "detectors:\n  port_scan:\n    mode: on\n  scan: {}\n".to_owned(),
            "4: detectors.scan: there is no such detector; there are port_scan, ",
        ),
        (
            "detectors:\n  port_scan:\n    mode: on\n    ports: 1\n".to_owned(),
            "4: detectors.port_scan.ports: there is no such key; there are mode, failed_ports_per_minute, ",
        ),
        (
            "detectors:\n  port_scan:\n    ports_per_hour: 0\n".to_owned(),
            "3: detectors.port_scan.ports_per_hour = `0`: it takes a whole number from 1 to 65536",
        ),
        (
            "detectors: {port_scan: {ports_per_hour: many}}".to_owned(),
            "1: detectors.port_scan.ports_per_hour = `many`: it takes a whole number from 1 to 65536",
        ),
        (
            "detectors: {port_scan: {quiet: 60}}".to_owned(),
            "1: detectors.port_scan.quiet = `60`: it takes a duration with its unit, from 1s to 1day",
        ),
        (
            "detectors: {port_scan: {mode: yes}}".to_owned(),
            "1: detectors.port_scan.mode = `yes`: it takes on, shadow or off",
        ),
        (
            "silence: 0s".to_owned(),
            "1: silence = `0s`: it takes a duration with its unit, from 100ms to 1m",
        ),
        (
            "scopes:\n- namespaces: [a]\n- labels: {app: x}\n".to_owned(),
            "3: scopes[1] (all namespaces, app=x) and scopes[0] (namespace a) may select the same pod; tell them",
        ),
        (
            "scopes:\n- namespace: a\n".to_owned(),
            "2: scopes[0].namespace: there is no such key; there are namespaces, labels, service_accounts, detectors",
        ),
        (
            "scopes: all\n".to_owned(),
            "1: scopes takes a list, as in `[a, b]`",
        ),
        (
            with("  until: 2026-01-31T12:00:00Z\n"),
            "5: exceptions[0].until = `2026-01-31T12:00:00Z`: that is past, it is 2026-07-25T",
        ),
        (
            with("  until: tomorrow\n"),
            "5: exceptions[0].until = `tomorrow`: it takes a time such as 2027-01-31T12:00:00Z",
        ),
        (
            with("  detectors: [scan]\n"),
            "5: exceptions[0].detectors = `scan`: there is no such detector; there are port_scan, ",
        ),
        (
            with("  targets:\n  - 10.0.0.0/33\n"),
            "6: exceptions[0].targets = `10.0.0.0/33`: it takes an IP address, or a network such as 10.0.0.0/8",
        ),
        (
            with("- name: a\n  owner: b\n  reason: c\n"),
            "5: exceptions[1].name = `a`: another exception has this name",
        ),
        (
            "exceptions:\n- name: a\n  owner: b\n".to_owned(),
            "2: exceptions[0] has no reason: give it why nobody is to be told",
        ),
        (
            "containment:\n  mode: act\n  max_share_percent: 0\n".to_owned(),
            "3: containment.max_share_percent: it takes 1 to 100",
        ),
        (
            "containment: {mode: on}\n".to_owned(),
            "1: containment.mode = `on`: it takes off, propose or act",
        ),
        (
            "containment:\n  protected:\n  - {}\n".to_owned(),
            "3: containment.protected: entry 0 names neither",
        ),
        (
            "detectors: {}\nsilence: 1s\ndetectors: {}\n".to_owned(),
            "3: duplicate mapping key: detectors",
        ),
        ("detectors: {\n".to_owned(), "1: "),
        ("- 1\n".to_owned(), "1: a policy takes keys with values"),
        (
            "silence: 1s\n---\nsilence: 2s\n".to_owned(),
            "3: a second document begins; write one",
        ),
    ];
    for (text, expected) in cases {
        let said = lines(&text);
        let expected = format!("policy.yaml:{expected}");
        assert!(said.len() == 1, "{text}: {said:?}");
        assert!(said[0].starts_with(&expected), "{}", said[0]);
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = "silence: 0s\nscope: []\ndetectors:\n  scan: {}\n  port_scan: {ports_per_hour: 0, mode: loud}\n";
    let said = lines(text);
    let at: Vec<_> = said
        .iter()
        .filter_map(|line| line.split(':').nth(1))
        .collect();
    assert_eq!(at, ["1", "2", "4", "5", "5"], "{said:?}");
    let refused = Policy::read("p", text, new(), &[]).unwrap_err();
    assert!(refused.to_string().contains("(and 4 more;"), "{refused}");
}

#[test]
fn an_exception_that_ended_while_it_was_in_force_is_no_mistake() {
    let text = GOOD.replace("2027-01-31", "2026-01-31");
    let policy = Policy::read("policy.yaml", &text, Time::Before, &[]).unwrap();
    let event = v1::Event {
        detector: "port_scan".into(),
        ..v1::Event::default()
    };
    let pod = v1::Pod {
        namespace: "security".into(),
        ..v1::Pod::default()
    };
    let now = SystemTime::UNIX_EPOCH + NOW;
    assert!(policy.exception(&event, Some(&pod), now).is_none());
    assert_eq!(lines(&text).len(), 1);
}

#[test]
fn a_config_map_is_told_by_the_lines_of_its_file() {
    let manifest = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: picket}
data:
  pods.yaml: |
    pods: []
  detectors.yaml: |
    detectors:
      port_scan:
        ports_per_hour: 0
  quoted.yaml: \"silence: 1s\\nscopes: 1\\n\"
---
apiVersion: v1
kind: Namespace
";
    let found = validate("map.yaml", manifest, new());
    let said: Vec<_> = found
        .iter()
        .flat_map(|(_, read)| read.as_ref().err())
        .flat_map(Refused::lines)
        .collect();
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["map.yaml detectors.yaml", "map.yaml quoted.yaml"]);
    assert_eq!(
        said,
        [
            "map.yaml:10: detectors.port_scan.ports_per_hour = `0`: it takes a whole number from 1 to 65536",
            "map.yaml:11: scopes takes a list, as in `[a, b]`"
        ]
    );
    let found = validate("map.yaml", "kind: Namespace\n", new());
    let said = found[0].1.as_ref().unwrap_err().to_string();
    assert!(said.contains("no ConfigMap here holds a policy"), "{said}");
    let agent = "node: n1\nsilence: 1s\n";
    assert!(validate("agent.yaml", agent, new())[0].1.is_ok());
}

#[test]
fn a_pod_is_judged_by_its_scope() {
    let mut shadow = Settings::default();
    shadow.port_scan.mode = Mode::Shadow;
    let policy = Policy {
        scopes: vec![Scope {
            selector: Selector {
                namespaces: vec!["monitoring".into()],
                ..Selector::default()
            },
            settings: Arc::new(shadow),
        }],
        ..Policy::default()
    };
    let pod = |namespace: &str| v1::Pod {
        namespace: namespace.into(),
        ..v1::Pod::default()
    };
    for (pod, mode) in [
        (Some(pod("monitoring")), Mode::Shadow),
        (Some(pod("default")), Mode::On),
        (None, Mode::On),
    ] {
        let settings = policy.settings(pod.as_ref());
        assert_eq!(settings.port_scan.mode, mode, "{pod:?}");
    }
}
