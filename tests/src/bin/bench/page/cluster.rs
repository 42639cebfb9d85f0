//! A cluster of as many workloads as a page may show, and what happens in it.

use std::{
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use api::v1;

const NODES: u32 = 50;
/// Of each node, one pod of each.
const WORKLOADS: u32 = 100;
/// Of each node.
const ANOMALIES: u64 = 2000;
/// Anomalies of each node that are open.
const OPEN: u64 = 10;
pub(super) const EPOCH: u64 = 1_795_000_000_000_000_000;
const MONTH: u64 = 30 * 24 * 60 * 60;

/// The cluster.
#[derive(Debug)]
pub(super) struct Cluster;

impl Cluster {
    pub(super) fn nodes(&self) -> impl Iterator<Item = u32> {
        0..NODES
    }

    /// Of all nodes.
    pub(super) const fn anomalies(&self) -> u64 {
        NODES as u64 * ANOMALIES
    }

    /// For the collector.
    pub(super) fn pod_table(&self) -> String {
        let mut table = String::from("pods:\n");
        for node in self.nodes() {
            for index in 0..WORKLOADS {
                let v1::Endpoint {
                    namespace,
                    pod,
                    uid,
                    address,
                    ..
                } = endpoint(node, index);
                table += &format!(
                    "- {{namespace: {namespace}, name: {pod}, uid: {uid}, node: {}, addresses: [{address}]}}\n",
                    name(node)
                );
            }
        }
        table
    }

    /// Each pod talks to one of the next node, so that there are as many links as pods.
    pub(super) fn edges(&self, node: u32, now: SystemTime) -> Vec<v1::SlotEdges> {
        let edges = (0..WORKLOADS).map(|index| {
            let own = endpoint(node, index);
            let other = endpoint((node + 1) % NODES, (index * 7 + 3) % WORKLOADS);
            v1::SlotEdges {
                namespace: own.namespace,
                pod: own.pod,
                uid: own.uid,
                edges: vec![v1::Edge {
                    outbound: true,
                    address: other.address,
                    port: 8000 + index,
                    transport: v1::Transport::Tcp.into(),
                    last_seen: Some(now.into()),
                    ..v1::Edge::default()
                }],
                further: 0,
            }
        });
        edges.collect()
    }

    /// What one node tells, oldest first; the last are open.
    pub(super) fn events(&self, node: u32, now: SystemTime) -> impl Iterator<Item = v1::Event> {
        (1..=ANOMALIES).map(move |sequence| event(node, sequence, now))
    }
}

pub(super) fn name(node: u32) -> String {
    format!("node-{node}")
}

fn endpoint(node: u32, index: u32) -> v1::Endpoint {
    let [_, _, high, low] = (node * WORKLOADS + index).to_be_bytes();
    v1::Endpoint {
        namespace: format!("team-{node}"),
        pod: format!(
            "app{index}-7d9c5b8f6d-k{}b2c",
            ["x", "z", "v", "t"][index as usize % 4]
        ),
        uid: format!("3f1b7a3e-8c1d-4b52-9a57-{node:06}{index:06}"),
        address: Ipv4Addr::new(10, 12, high, low).to_string(),
        ..v1::Endpoint::default()
    }
}

fn event(node: u32, sequence: u64, now: SystemTime) -> v1::Event {
    let index = u32::try_from(sequence % u64::from(WORKLOADS)).unwrap_or(0);
    let age = MONTH - MONTH * sequence / ANOMALIES;
    let at = Some((now - Duration::from_secs(age)).into());
    let (detector, severity) = match sequence % 4 {
        0 => ("port_scan", v1::Severity::High),
        1 => ("ip_sweep", v1::Severity::Medium),
        2 => ("dns_enumeration", v1::Severity::Low),
        _ => ("beacon", v1::Severity::Info),
    };
    let state = match sequence > ANOMALIES - OPEN {
        true => v1::State::Opened,
        false => v1::State::Closed,
    };
    let target = endpoint((node + 1) % NODES, index);
    let source = endpoint(node, index);
    let summary = format!(
        "{}/{} ({}) scanned {}/{} ({}): 980 ports failed within 1m (threshold 10), 983 distinct ports so far, SYN probes",
        source.namespace, source.pod, source.address, target.namespace, target.pod, target.address
    );
    v1::Event {
        id: Some(v1::EventId {
            node: name(node),
            epoch: EPOCH,
            sequence,
        }),
        anomaly_id: format!("{}/{EPOCH}/{index}.1/{detector}/{sequence}", name(node)),
        state: state.into(),
        detector: detector.into(),
        severity: severity.into(),
        raised_at: at,
        crossed_at: at,
        first_seen: at,
        last_seen: at,
        source: Some(source),
        targets: vec![v1::Target {
            endpoint: Some(target),
            failed_ports: 980,
            answered_ports: 3,
            sample_ports: vec![21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443],
        }],
        crossed: Some(v1::Criterion {
            measure: v1::Measure::FailedPortsPerDestination.into(),
            counted: 10,
            threshold: 10,
            window: Duration::from_secs(60).try_into().ok(),
        }),
        ports: Some(v1::PortCounts {
            distinct: 983,
            refused: 980,
            answered: 3,
            ..v1::PortCounts::default()
        }),
        technique: v1::Technique::TcpSyn.into(),
        attack_ids: vec!["T1046".into()],
        summary,
        counted: 980,
        durability: v1::Durability::Durable.into(),
        ..v1::Event::default()
    }
}
