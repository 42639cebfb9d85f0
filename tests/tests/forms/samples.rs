//! Events of every detector and every step, with all that an event may hold, and with as little.

use api::{
    actions::CONTAINMENT,
    correlations::{DEPENDENCY_DOWN, DISTRIBUTED_SCAN, WORKLOAD_SWEEP},
    summary,
    triage::TRIAGE,
    v1,
};

/// Names that mean something to who reads the one or the other form.
const HOSTILE: [&str; 8] = [
    "a\"b'c\\",
    "a|b=c \\= \\| \\",
    "line\nline\r\nline\u{2028}",
    "\u{1b}[31mred\u{1b}[0m\u{7}\u{0}\u{85}",
    "\u{202e}lmth\u{2066}.\u{200f}",
    "<script>alert(1)</script>&amp;${jndi:x}{{7*7}}%n%s",
    "\u{fdd0}\u{fffe}\u{10ffff}\u{feff}é😀",
    " msg=forged src=1.2.3.4 CEF:0|x",
];

/// All that the detectors point to.
const ATTACK_IDS: [&str; 17] = [
    "T1018",
    "T1021",
    "T1029",
    "T1041",
    "T1046",
    "T1048",
    "T1071",
    "T1071.004",
    "T1095",
    "T1105",
    "T1498",
    "T1499",
    "T1557",
    "T1568.002",
    "T1571",
    "T1572",
    "T1590.002",
];

const STATES: [v1::State; 3] = [v1::State::Opened, v1::State::Updated, v1::State::Closed];

/// Each with what it is of.
pub(super) fn events() -> Vec<(String, v1::Event)> {
    let correlations = [DISTRIBUTED_SCAN, WORKLOAD_SWEEP, DEPENDENCY_DOWN];
    let mut events = Vec::new();
    let mut endpoints = endpoints().into_iter().cycle();
    for detector in detect::DETECTORS.iter().copied().chain(correlations) {
        for state in STATES {
            for (source, target) in endpoints.by_ref().take(2) {
                let mut event = event(detector, state, source, target);
                events.push((format!("{detector}, {state:?}"), event.clone()));
                event.shadow = true;
                event.severity = v1::Severity::Low.into();
                events.push((format!("{detector} in shadow, {state:?}"), event));
            }
        }
    }
    events.extend(actions());
    events.extend(triages());
    events.extend(names().map(|name| (format!("{name:?}"), hostile(&name))));
    for technique in 0..=17 {
        let mut event = events[0].1.clone();
        event.technique = technique;
        events.push((format!("technique {technique}"), event));
    }
    events.push(("as little as may be".into(), least()));
    events.push(("a newer agent".into(), newer()));
    for (_, event) in &mut events {
        event.summary = summary::summarize(event);
    }
    events
}

pub(super) fn gaps() -> Vec<(String, v1::Gap)> {
    let gap = |name: &str| v1::Gap {
        events: 12,
        reason: format!("retention removed them {name}"),
        node: name.into(),
        cursor: 90,
        id: Some(v1::EventId {
            node: name.into(),
            epoch: 1_700_000_000_000_000_000,
            sequence: 7,
        }),
        last_sequence: 20,
        lost: vec![v1::Lost {
            severity: v1::Severity::High.into(),
            events: 12,
        }],
        merged_updates: 3,
        first_raised_at: Some(time(0)),
        last_raised_at: Some(time(9)),
    };
    let mut gaps = vec![("a gap".into(), gap("n1"))];
    gaps.extend(names().map(|name| (format!("a gap of {name:?}"), gap(&name))));
    gaps.push(("a gap that says nothing".into(), v1::Gap::default()));
    gaps
}

/// The longest that Kubernetes takes among them.
fn names() -> impl Iterator<Item = String> {
    let long = ["x".repeat(253), "é=|\\\n".repeat(36)];
    HOSTILE.map(str::to_owned).into_iter().chain(long)
}

fn time(seconds: i64) -> v1::Timestamp {
    v1::Timestamp {
        seconds: 1_800_000_000 + seconds,
        nanos: 123_456_789,
    }
}

fn pod(name: &str, address: &str) -> v1::Endpoint {
    v1::Endpoint {
        namespace: "blue".into(),
        pod: name.into(),
        uid: "2f1c7f0e-7c0a-4f5b-9b57-0a6f8b7d9e10".into(),
        address: address.into(),
        interface: "veth1".into(),
        labels: [("app.kubernetes.io/name".into(), "shop".into())].into(),
        owner: Some(v1::Owner {
            kind: "Deployment".into(),
            name: "shop".into(),
        }),
        node: "n1".into(),
        service_account: "default".into(),
        appeared_at: Some(time(-60)),
        ..v1::Endpoint::default()
    }
}

/// Who may do what to whom.
fn endpoints() -> Vec<(Option<v1::Endpoint>, Option<v1::Endpoint>)> {
    let of = |fill: fn(&mut v1::Endpoint)| {
        let mut endpoint = v1::Endpoint::default();
        fill(&mut endpoint);
        Some(endpoint)
    };
    vec![
        (
            Some(pod("app1", "10.244.1.7")),
            Some(pod("db", "10.244.1.9")),
        ),
        (
            Some(pod("app1", "fd00::7")),
            of(|it| {
                (it.namespace, it.service) = ("blue".into(), "db".into());
                it.address = "fd00::9".into();
            }),
        ),
        (
            of(|it| (it.namespace, it.workload) = ("blue".into(), "shop".into())),
            of(|it| it.address = "192.0.2.1".into()),
        ),
        (of(|it| it.interface = "veth1".into()), None),
        (Some(v1::Endpoint::default()), Some(pod("victim", ""))),
        (None, of(|it| it.node = "n2".into())),
    ]
}

fn event(
    detector: &str,
    state: v1::State,
    source: Option<v1::Endpoint>,
    target: Option<v1::Endpoint>,
) -> v1::Event {
    let reached = |endpoint| v1::Target {
        endpoint: Some(endpoint),
        failed_ports: 998,
        answered_ports: 2,
        sample_ports: vec![1, 22, 80, 65535],
    };
    let others = (0..i32::from(state))
        .map(|at| pod(&format!("web-{at}"), &format!("10.244.2.{at}")))
        .filter(|_| target.is_some());
    let targets = target.clone().into_iter().chain(others).map(reached);
    v1::Event {
        id: Some(v1::EventId {
            node: "n1".into(),
            epoch: 1_700_000_000_000_000_000,
            sequence: 42,
        }),
        cursor: 1_000_000,
        anomaly_id: format!("n1/1700000000000000000/7.1/{detector}/3"),
        state: state.into(),
        detector: detector.into(),
        severity: v1::Severity::High.into(),
        raised_at: Some(time(5)),
        crossed_at: Some(time(1)),
        first_seen: Some(time(0)),
        last_seen: Some(time(4)),
        source,
        targets: targets.collect(),
        further_targets: 3,
        crossed: Some(v1::Criterion {
            measure: v1::Measure::FailedPortsPerDestination.into(),
            counted: 10,
            threshold: 10,
            window: Some(v1::Duration {
                seconds: 60,
                nanos: 0,
            }),
        }),
        ports: Some(v1::PortCounts {
            distinct: 1000,
            refused: 998,
            answered: 2,
            silent: 0,
            ..v1::PortCounts::default()
        }),
        technique: v1::Technique::TcpSyn.into(),
        attack_ids: ATTACK_IDS.map(str::to_owned).to_vec(),
        coverage: Some(v1::Coverage {
            records_dropped: 1,
            sample_rate: 50,
            ..v1::Coverage::default()
        }),
        counted: 1000,
        samples: vec!["a.example".into(), "b.example".into()],
        withheld: 1,
        correlated_into: "@collector/1/distributed_scan/1".into(),
        correlated: vec!["n1/1/7.1/port_scan/1".into()],
        durability: v1::Durability::Durable.into(),
        ..v1::Event::default()
    }
}

fn actions() -> Vec<(String, v1::Event)> {
    let (source, target) = endpoints().swap_remove(0);
    let action = |kind| {
        let mut event = event(
            CONTAINMENT,
            v1::State::Opened,
            source.clone(),
            target.clone(),
        );
        event.action = Some(v1::Action {
            kind,
            reason: "port_scan, high".into(),
            by: "anna".into(),
            command_id: "c1".into(),
            lease_until: Some(time(300)),
            anomaly_id: "n1/1/7.1/port_scan/1".into(),
        });
        (format!("action {kind}"), event)
    };
    (0..=8).map(action).collect()
}

fn triages() -> Vec<(String, v1::Event)> {
    let (source, target) = endpoints().swap_remove(0);
    let triage = |kind| {
        let mut event = event(TRIAGE, v1::State::Opened, source.clone(), target.clone());
        event.severity = v1::Severity::Info.into();
        event.triage = Some(v1::Triage {
            anomaly_id: "n1/1/7.1/port_scan/1".into(),
            kind,
            by: "anna".into(),
            assignee: "bert".into(),
            note: "two\nlines = \"one\" | note".into(),
        });
        (format!("triage {kind}"), event)
    };
    (0..=6).map(triage).collect()
}

/// The name is wherever one may stand.
fn hostile(name: &str) -> v1::Event {
    let endpoint = |address: &str| v1::Endpoint {
        namespace: name.into(),
        pod: name.into(),
        uid: name.into(),
        address: address.into(),
        interface: name.into(),
        workload: name.into(),
        labels: [(name.into(), name.into())].into(),
        owner: Some(v1::Owner {
            kind: name.into(),
            name: name.into(),
        }),
        node: name.into(),
        service: name.into(),
        unknown: name.into(),
        service_account: name.into(),
        ..v1::Endpoint::default()
    };
    let (source, target) = (Some(endpoint(name)), Some(endpoint("10.0.0.1")));
    let mut event = event(name, v1::State::Opened, source, target);
    event.id = Some(v1::EventId {
        node: name.into(),
        epoch: u64::MAX,
        sequence: u64::MAX,
    });
    event.anomaly_id = name.into();
    event.attack_ids = vec![name.into(), "T1046".into(), "T1046".into()];
    event.samples = vec![name.into(); 16];
    event.action = Some(v1::Action {
        reason: name.into(),
        by: name.into(),
        anomaly_id: name.into(),
        ..v1::Action::default()
    });
    event
}

/// It has numbers that this program knows nothing of.
fn newer() -> v1::Event {
    let (source, target) = endpoints().swap_remove(0);
    let mut event = event("newer", v1::State::Opened, source, target);
    event.state = 77;
    event.severity = 77;
    event.technique = 77;
    event.durability = 77;
    event.attack_ids = vec!["T9999.001".into()];
    event
}

/// No event is taken with less.
fn least() -> v1::Event {
    let full = event("port_scan", v1::State::Opened, None, None);
    v1::Event {
        id: full.id,
        anomaly_id: full.anomaly_id,
        state: full.state,
        detector: full.detector,
        severity: full.severity,
        raised_at: full.raised_at,
        ..v1::Event::default()
    }
}
