//! The state machine, driven with events as agents raise them.

mod bounds;
mod life;
mod outages;
mod replays;

use api::{
    correlations::COLLECTOR,
    v1::{self, Timestamp},
};
use prometheus_client::registry::Registry;

use super::{Correlator, Metrics, Settings, Sighting, Time};

const START: i64 = 1_700_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp {
        seconds: START + seconds,
        nanos: 0,
    }
}

fn pod(name: &str) -> v1::Endpoint {
    v1::Endpoint {
        namespace: "default".into(),
        pod: name.into(),
        ..Default::default()
    }
}

fn address(address: &str) -> v1::Endpoint {
    v1::Endpoint {
        address: address.into(),
        ..Default::default()
    }
}

fn failing(endpoint: v1::Endpoint, ports: &[u32]) -> v1::Target {
    v1::Target {
        endpoint: Some(endpoint),
        failed_ports: u32::try_from(ports.len()).unwrap(),
        sample_ports: ports.to_vec(),
        ..Default::default()
    }
}

/// A scan of an address as an operating system makes it, of ports that nobody else tries.
fn scan(seconds: i64, node: &str, source: &str, target: &str) -> v1::Event {
    let port = |index: u32| super::sighting::hash((source, target, index)) % 60_000;
    let ports: Vec<_> = (0..10)
        .map(|index| port(index).try_into().unwrap())
        .collect();
    clients(seconds, node, source, target, &ports)
}

/// A pod that fails on these ports of an address.
fn clients(seconds: i64, node: &str, source: &str, target: &str, ports: &[u32]) -> v1::Event {
    v1::Event {
        id: Some(v1::EventId {
            node: node.into(),
            epoch: 1,
            sequence: 1,
        }),
        anomaly_id: format!("{node}/1/{source}/port_scan/1"),
        state: v1::State::Opened.into(),
        detector: "port_scan".into(),
        severity: v1::Severity::High.into(),
        raised_at: Some(at(seconds)),
        crossed_at: Some(at(seconds)),
        first_seen: Some(at(seconds - 1)),
        last_seen: Some(at(seconds)),
        source: Some(pod(source)),
        targets: vec![failing(address(target), ports)],
        technique: v1::Technique::TcpConnect.into(),
        ..Default::default()
    }
}

fn sweep(seconds: i64, node: &str, source: &str, targets: Vec<v1::Target>) -> v1::Event {
    v1::Event {
        detector: "ip_sweep".into(),
        severity: v1::Severity::Medium.into(),
        targets,
        ..scan(seconds, node, source, "")
    }
}

/// What the log would hold.
struct Log {
    correlator: Correlator,
    events: Vec<v1::Event>,
    forgotten: Metrics,
}

impl Log {
    fn with(settings: Settings) -> Self {
        let metrics = Metrics::new(&mut Registry::default());
        let mut correlator = Correlator::new(settings, metrics.clone());
        correlator.reset(7, 0);
        Self {
            correlator,
            events: Vec::new(),
            forgotten: metrics,
        }
    }

    fn new() -> Self {
        Self::with(Settings::default())
    }

    /// Commits an event at the time it was raised; what was raised in turn.
    fn commit(&mut self, event: &v1::Event) -> Vec<v1::Event> {
        self.commit_at(event, event.raised_at.unwrap())
    }

    fn commit_at(&mut self, event: &v1::Event, now: Timestamp) -> Vec<v1::Event> {
        let sighting = Sighting::of(event);
        let mark = sighting
            .as_ref()
            .and_then(|it| self.correlator.mark(it, now.into()));
        let correlated_into = mark.unwrap_or_default().into();
        let stored = v1::Event {
            correlated_into,
            ..event.clone()
        };
        self.events.push(stored);
        let raised = sighting.map(|it| self.correlator.observe(&it, now.into()));
        let raised = raised.unwrap_or_default();
        self.events.extend(raised.iter().cloned());
        raised
    }

    fn tick(&mut self, seconds: i64) -> Vec<v1::Event> {
        let now = Time::from(at(seconds));
        self.correlator.expire(now);
        let closed = if self.correlator.is_due(now) {
            self.correlator.close_due(now)
        } else {
            Vec::new()
        };
        self.events.extend(closed.iter().cloned());
        closed
    }

    fn mark(&self) -> &str {
        let agents = |event: &&v1::Event| event.id.as_ref().unwrap().node != COLLECTOR;
        &self
            .events
            .iter()
            .rev()
            .find(agents)
            .unwrap()
            .correlated_into
    }
}

/// Commits all, and tells which correlations opened.
fn check(events: &[v1::Event], expected: &[&str]) {
    let mut log = Log::new();
    let raised: Vec<_> = events.iter().flat_map(|event| log.commit(event)).collect();
    let opened = raised.iter().filter(|it| it.state() == v1::State::Opened);
    let opened: Vec<_> = opened.map(|it| it.detector.as_str()).collect();
    assert_eq!(opened, expected, "{raised:#?}");
}

#[test]
fn three_sources_on_two_nodes_or_five_anywhere_are_a_distributed_scan() {
    let scans = |nodes: &[&str]| -> Vec<_> {
        let sources = nodes.iter().enumerate();
        let scan =
            |(index, node): (usize, &&str)| scan(60, node, &format!("app{index}"), "10.0.0.9");
        sources.map(scan).collect()
    };
    check(&scans(&["n1", "n2"]), &[]);
    check(&scans(&["n1", "n1", "n1", "n1"]), &[]);
    check(&scans(&["n1", "n1", "n2"]), &["distributed_scan"]);
    check(&scans(&["n1"; 5]), &["distributed_scan"]);
    let mut once = scans(&["n1", "n2"]);
    once.extend(scans(&["n1", "n2"]));
    check(&once, &[]);
}

#[test]
fn only_what_is_close_in_time_is_one_scan_whenever_it_comes_in() {
    let spread = |last| {
        [(0, "n1", "app1"), (10, "n2", "app2"), (last, "n3", "app3")]
            .map(|(seconds, node, source)| scan(seconds, node, source, "10.0.0.9"))
    };
    check(&spread(299), &["distributed_scan"]);
    check(&spread(300), &[]);
    let mut late = spread(299);
    late.reverse();
    check(&late, &["distributed_scan"]);
}

#[test]
fn a_distributed_scan_names_its_sources_targets_and_their_anomalies() {
    let mut log = Log::new();
    for (node, source) in [("n1", "app1"), ("n2", "app2")] {
        assert_eq!(log.commit(&scan(60, node, source, "10.0.0.9")), []);
    }
    let raised = log.commit(&scan(61, "n3", "app3", "10.0.0.9"));
    assert_eq!(log.mark(), "", "it came before");
    let [opened] = &raised[..] else {
        panic!("{raised:#?}");
    };
    assert_eq!(opened.id.as_ref().unwrap().node, COLLECTOR);
    assert_eq!(opened.anomaly_id, "@collector/7/distributed_scan/1");
    assert_eq!(opened.severity(), v1::Severity::High);
    assert_eq!(opened.attack_ids, ["T1046"]);
    assert_eq!(
        opened.samples,
        ["default/app1", "default/app2", "default/app3"]
    );
    assert_eq!(opened.correlated.len(), 3);
    assert_eq!((opened.counted, opened.crossed.unwrap().threshold), (3, 3));
    assert_eq!(opened.targets[0].endpoint, Some(address("10.0.0.9")));
    assert_eq!(
        opened.summary,
        "several pods together scanned 10.0.0.9: 3 sources within 5m (threshold 3), 3 so far, such \
         as default/app1, default/app2, default/app3"
    );

    assert_eq!(log.commit(&scan(62, "n3", "app4", "10.0.0.9")), []);
    assert_eq!(log.mark(), opened.anomaly_id);
    let mut closing = scan(63, "n1", "app1", "10.0.0.9");
    closing.state = v1::State::Closed.into();
    log.commit(&closing);
    assert_eq!(log.mark(), opened.anomaly_id, "its anomaly was part of it");
    let mut victim = scan(64, "n4", "", "10.0.0.9");
    victim.detector = "port_scan_target".into();
    victim.source = Some(v1::Endpoint::default());
    log.commit(&victim);
    assert_eq!(
        log.mark(),
        opened.anomaly_id,
        "the target tells of the same"
    );
    log.commit(&scan(65, "n3", "app4", "10.0.0.8"));
    assert_eq!(log.mark(), "", "another target");
}

#[test]
fn a_scan_of_many_targets_by_the_same_sources_is_one() {
    let hosts = |first: u32| -> Vec<_> {
        (first..first + 16)
            .map(|host| failing(address(&format!("10.0.0.{host}")), &[host, host + 1]))
            .collect()
    };
    let mut log = Log::new();
    let mut raised = Vec::new();
    for first in [1, 17] {
        for (node, source) in [("n1", "app1"), ("n2", "app2"), ("n3", "app3")] {
            let mut swept = sweep(60, node, source, hosts(first));
            swept.technique = v1::Technique::TcpSyn.into();
            raised.extend(log.commit(&swept));
        }
    }
    assert_eq!(raised.len(), 1, "{raised:#?}");
    assert_eq!(raised[0].targets.len(), 16);
    let closed = log.tick(60 + 300);
    assert_eq!((closed.len(), closed[0].further_targets), (1, 16));
}

#[test]
fn a_workload_that_scans_from_two_nodes_is_told_by_name() {
    let replicas = |nodes: [&str; 3]| {
        ["x2x7k", "b4b5c", "zzzzz"]
            .iter()
            .zip(nodes)
            .zip(1..)
            .map(|((suffix, node), host)| {
                let source = format!("web-5d4f7c9b8-{suffix}");
                scan(200 * host, node, &source, &format!("10.0.0.{host}"))
            })
            .collect::<Vec<_>>()
    };
    check(&replicas(["n1", "n1", "n1"]), &[]);
    check(&replicas(["n1", "n1", "n2"])[1..], &[]);
    let mut log = Log::new();
    let raised: Vec<_> = replicas(["n1", "n1", "n2"])
        .iter()
        .flat_map(|event| log.commit(event))
        .collect();
    assert_eq!(raised.len(), 1, "{raised:#?}");
    let source = raised[0].source.as_ref().unwrap();
    assert_eq!(
        (source.namespace.as_str(), source.workload.as_str()),
        ("default", "web")
    );
    assert!(
        raised[0]
            .summary
            .starts_with("the pods of default/web scanned 10.0.0.3 "),
        "{}",
        raised[0].summary
    );
}

#[test]
fn an_innocent_mix_is_nothing() {
    let mut events = Vec::new();
    for index in 0..100 {
        let (node, source) = (format!("n{}", index % 10), format!("app{index}"));
        // Each has a target of its own, or is hardly worth a look, or only tried out.
        events.push(scan(index, &node, &source, &format!("10.1.0.{index}")));
        let mut weak = scan(index, &node, &source, "10.0.0.9");
        weak.severity = v1::Severity::Low.into();
        events.push(weak);
        let mut shadow = scan(index, &node, &source, "10.0.0.9");
        shadow.shadow = true;
        events.push(shadow);
        let mut other = scan(index, &node, &source, "10.0.0.9");
        other.detector = "protocol_scan".into();
        events.push(other);
    }
    check(&events, &[]);
}
