//! Events as agents raise them.

use std::time::{Duration, SystemTime};

use api::v1;

/// Pods of a node that raise events.
const PODS: u64 = 100;

/// The event with this sequence of a node, raised `at`. Nodes, pods and targets differ, so that nothing is
/// correlated.
pub(crate) fn event(node: u32, id: v1::EventId, raised_at: SystemTime) -> v1::Event {
    let sequence = id.sequence;
    let pod = sequence % PODS;
    let at = |before: u64| Some((raised_at - Duration::from_millis(before)).into());
    let state = match sequence % 3 {
        0 => v1::State::Opened,
        1 => v1::State::Updated,
        _ => v1::State::Closed,
    };
    let (detector, severity) = match sequence / 3 % 4 {
        0 => ("port_scan", v1::Severity::High),
        1 => ("ip_sweep", v1::Severity::Medium),
        2 => ("dns_enumeration", v1::Severity::Low),
        _ => ("beacon", v1::Severity::Info),
    };
    let [_, b, c, d] = node.to_be_bytes();
    v1::Event {
        anomaly_id: format!(
            "{}/{}/{pod}.1/{detector}/{}",
            id.node,
            id.epoch,
            sequence / 3
        ),
        id: Some(id),
        state: state.into(),
        detector: detector.into(),
        severity: severity.into(),
        raised_at: at(0),
        crossed_at: at(4),
        first_seen: at(40),
        last_seen: at(1),
        source: Some(v1::Endpoint {
            namespace: format!("team-{}", pod % 10),
            pod: format!("app-7d9c5b8f6d-{pod:05}"),
            uid: format!("3f1b7a3e-8c1d-4b52-9a57-{node:06}{pod:06}"),
            address: format!("10.{}.{c}.{pod}", 128 | b),
            interface: format!("cali{pod:011}"),
            ..v1::Endpoint::default()
        }),
        targets: vec![v1::Target {
            endpoint: Some(v1::Endpoint {
                address: format!("10.{c}.{d}.{pod}"),
                ..v1::Endpoint::default()
            }),
            failed_ports: 980,
            answered_ports: 3,
            sample_ports: vec![
                21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 993, 995, 3306,
            ],
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
            silent: 0,
            ..v1::PortCounts::default()
        }),
        technique: v1::Technique::TcpSyn.into(),
        attack_ids: vec!["T1046".into()],
        summary: "a pod scanned another one: 980 ports refused within 1m".into(),
        coverage: Some(v1::Coverage {
            sample_rate: 16,
            ..v1::Coverage::default()
        }),
        counted: 980,
        durability: v1::Durability::Durable.into(),
        ..v1::Event::default()
    }
}
