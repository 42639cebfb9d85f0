//! A harmless event, and a gap, to try out what the configuration says.

use api::{summary, v1};

use crate::store::Entry;

/// Some moment.
const AT: v1::Timestamp = v1::Timestamp {
    seconds: 1_767_225_600,
    nanos: 0,
};

fn id() -> v1::EventId {
    v1::EventId {
        node: "node-1".into(),
        epoch: 1_767_225_600_000_000_000,
        sequence: 1,
    }
}

fn pod(name: &str, address: &str) -> v1::Endpoint {
    v1::Endpoint {
        namespace: "example".into(),
        pod: name.into(),
        address: address.into(),
        node: "node-1".into(),
        ..v1::Endpoint::default()
    }
}

/// An event with all that templates usually ask for.
pub(super) fn event() -> Entry {
    let at = Some(AT);
    let mut event = v1::Event {
        id: Some(id()),
        cursor: 1,
        anomaly_id: "node-1/1767225600000000000/1.1/port_scan/1".into(),
        state: v1::State::Opened.into(),
        detector: "port_scan".into(),
        severity: v1::Severity::Low.into(),
        raised_at: at,
        crossed_at: at,
        first_seen: at,
        last_seen: at,
        source: Some(pod("web-0", "192.0.2.1")),
        targets: vec![v1::Target {
            endpoint: Some(pod("db-0", "192.0.2.2")),
            ..v1::Target::default()
        }],
        crossed: Some(v1::Criterion::default()),
        ports: Some(v1::PortCounts::default()),
        coverage: Some(v1::Coverage::default()),
        attack_ids: vec!["T1046".into()],
        ..v1::Event::default()
    };
    event.summary = summary::summarize(&event);
    Entry::Event(Box::new(event))
}

pub(super) fn gap() -> Entry {
    Entry::Gap(v1::Gap {
        events: 1,
        reason: "the spool was full".into(),
        node: "node-1".into(),
        cursor: 2,
        id: Some(id()),
        last_sequence: 1,
        first_raised_at: Some(AT),
        last_raised_at: Some(AT),
        ..v1::Gap::default()
    })
}
