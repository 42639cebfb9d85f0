//! What a process tells does not grow with the cluster.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use api::{pods::Pods, v1};
use prometheus_client::{encoding::text, registry::Registry};

use super::Metrics;
use crate::{
    correlate::{Correlator, Settings, Sighting, Time},
    identity::Identity,
};

/// Known at a time.
const PODS: u32 = 100_000;
/// Each of other pods.
const GENERATIONS: u32 = 10;
/// Of one process, whatever the cluster is.
const MOST: usize = 200;

fn series(registry: &Registry) -> BTreeSet<String> {
    let mut text = String::new();
    text::encode(&mut text, registry).unwrap();
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    let series = lines.filter_map(|it| Some(it.rsplit_once(' ')?.0.to_owned()));
    series.collect()
}

fn address(index: u32) -> String {
    Ipv4Addr::from(0x0a00_0000 + index % PODS).to_string()
}

fn pod(index: u32) -> v1::Pod {
    v1::Pod {
        namespace: format!("namespace-{}", index % 1000),
        name: format!("pod-{index}"),
        uid: format!("uid-{index}"),
        node: format!("node-{}", index % 5000),
        addresses: vec![address(index)],
        ..v1::Pod::default()
    }
}

/// Each pod scans the one behind it.
fn event(index: u32, at: SystemTime) -> v1::Event {
    let endpoint = |index| v1::Endpoint {
        address: address(index),
        ..v1::Endpoint::default()
    };
    v1::Event {
        id: Some(v1::EventId {
            node: format!("node-{}", index % 5000),
            epoch: 1,
            sequence: u64::from(index) + 1,
        }),
        anomaly_id: format!("anomaly-{index}"),
        state: v1::State::Opened.into(),
        detector: "port_scan".into(),
        severity: v1::Severity::High.into(),
        raised_at: Some(at.into()),
        first_seen: Some(at.into()),
        last_seen: Some(at.into()),
        source: Some(endpoint(index)),
        targets: vec![v1::Target {
            endpoint: Some(endpoint(index + 1)),
            failed_ports: 100,
            ..v1::Target::default()
        }],
        ..v1::Event::default()
    }
}

#[test]
fn a_million_pods_make_no_series() {
    let (registry, metrics) = Metrics::new();
    let before = series(&registry);
    let mut correlator = Correlator::new(Settings::default(), metrics.correlate.clone());
    let beginning = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    for generation in 0..GENERATIONS {
        let (first, end) = (generation * PODS, (generation + 1) * PODS);
        let mut pods = Pods::default();
        for index in first..end {
            pods.insert(pod(index));
        }
        let identity = Identity::new(pods, false, metrics.identity.clone());
        // A tenth of them, for what follows from a scan takes many times as long.
        for index in (first..end).step_by(10) {
            let at = beginning + Duration::from_millis(index.into());
            let mut event = event(index, at);
            identity.complete(&mut event);
            let source = event.source.as_ref().map(|it| it.pod.clone());
            assert_eq!(source, Some(format!("pod-{index}")));
            let sighting = Sighting::of(&event).unwrap();
            let now = Time::from(v1::Timestamp::from(at));
            let raised = correlator.observe(&sighting, now);
            correlator.committed(u64::try_from(raised.len()).unwrap());
        }
    }
    let after = series(&registry);
    assert_eq!(before, after);
    assert!(after.len() <= MOST, "{} series", after.len());
}
