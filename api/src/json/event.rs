//! `picket.v1.Event` as JSON.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{names, port_sets, times, v1};

/// One step in the life of an anomaly.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    id: Option<Id<'a>>,
    cursor: u64,
    anomaly_id: &'a str,
    state: String,
    detector: &'a str,
    severity: String,
    raised_at: Option<String>,
    crossed_at: Option<String>,
    first_seen: Option<String>,
    last_seen: Option<String>,
    source: Option<Endpoint<'a>>,
    targets: Vec<Target<'a>>,
    further_targets: u64,
    crossed: Option<Criterion>,
    ports: Option<PortCounts>,
    counted: u64,
    technique: String,
    samples: &'a [String],
    shadow: bool,
    withheld: u64,
    attack_ids: &'a [String],
    summary: &'a str,
    coverage: Option<Coverage>,
    correlated_into: &'a str,
    correlated: &'a [String],
    durability: String,
    action: Option<Action<'a>>,
    triage: Option<Triage<'a>>,
}

#[derive(Debug, Serialize)]
struct Action<'a> {
    kind: String,
    reason: &'a str,
    by: &'a str,
    command_id: &'a str,
    lease_until: Option<String>,
    anomaly_id: &'a str,
}

impl<'a> Action<'a> {
    fn new(action: &'a v1::Action) -> Self {
        Self {
            kind: names::action(action.kind),
            reason: &action.reason,
            by: &action.by,
            command_id: &action.command_id,
            lease_until: times::exact(action.lease_until),
            anomaly_id: &action.anomaly_id,
        }
    }
}

#[derive(Debug, Serialize)]
struct Triage<'a> {
    anomaly_id: &'a str,
    kind: String,
    by: &'a str,
    assignee: &'a str,
    note: &'a str,
}

impl<'a> Triage<'a> {
    fn new(triage: &'a v1::Triage) -> Self {
        Self {
            anomaly_id: &triage.anomaly_id,
            kind: names::triage(triage.kind),
            by: &triage.by,
            assignee: &triage.assignee,
            note: &triage.note,
        }
    }
}

impl<'a> Event<'a> {
    /// The form of a message.
    #[must_use]
    pub fn new(event: &'a v1::Event) -> Self {
        Self {
            id: event.id.as_ref().map(Id::new),
            cursor: event.cursor,
            anomaly_id: &event.anomaly_id,
            state: names::state(event.state),
            detector: &event.detector,
            severity: names::severity(event.severity),
            raised_at: times::exact(event.raised_at),
            crossed_at: times::exact(event.crossed_at),
            first_seen: times::exact(event.first_seen),
            last_seen: times::exact(event.last_seen),
            source: event.source.as_ref().map(Endpoint::new),
            targets: event.targets.iter().map(Target::new).collect(),
            further_targets: event.further_targets,
            crossed: event.crossed.as_ref().map(Criterion::new),
            ports: event.ports.as_ref().map(PortCounts::new),
            counted: event.counted,
            technique: names::technique(event.technique),
            samples: &event.samples,
            shadow: event.shadow,
            withheld: event.withheld,
            attack_ids: &event.attack_ids,
            summary: &event.summary,
            coverage: event.coverage.as_ref().map(Coverage::new),
            correlated_into: &event.correlated_into,
            correlated: &event.correlated,
            durability: names::durability(event.durability),
            action: event.action.as_ref().map(Action::new),
            triage: event.triage.as_ref().map(Triage::new),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Id<'a> {
    node: &'a str,
    /// Text, because it is beyond the 53 bits that many readers keep of a number.
    epoch: String,
    sequence: u64,
}

impl<'a> Id<'a> {
    pub(super) fn new(id: &'a v1::EventId) -> Self {
        Self {
            node: &id.node,
            epoch: id.epoch.to_string(),
            sequence: id.sequence,
        }
    }
}

#[derive(Debug, Serialize)]
struct Endpoint<'a> {
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    address: &'a str,
    interface: &'a str,
    workload: &'a str,
    labels: &'a BTreeMap<String, String>,
    owner: Option<Owner<'a>>,
    node: &'a str,
    service: &'a str,
    service_account: &'a str,
    appeared_at: Option<String>,
    unknown: &'a str,
}

impl<'a> Endpoint<'a> {
    fn new(endpoint: &'a v1::Endpoint) -> Self {
        Self {
            namespace: &endpoint.namespace,
            pod: &endpoint.pod,
            uid: &endpoint.uid,
            address: &endpoint.address,
            interface: &endpoint.interface,
            workload: &endpoint.workload,
            labels: &endpoint.labels,
            owner: endpoint.owner.as_ref().map(Owner::new),
            node: &endpoint.node,
            service: &endpoint.service,
            service_account: &endpoint.service_account,
            appeared_at: times::exact(endpoint.appeared_at),
            unknown: &endpoint.unknown,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
}

impl<'a> Owner<'a> {
    pub(super) fn new(owner: &'a v1::Owner) -> Self {
        Self {
            kind: &owner.kind,
            name: &owner.name,
        }
    }
}

#[derive(Debug, Serialize)]
struct Target<'a> {
    endpoint: Option<Endpoint<'a>>,
    failed_ports: u32,
    answered_ports: u32,
    sample_ports: &'a [u32],
}

impl<'a> Target<'a> {
    fn new(target: &'a v1::Target) -> Self {
        Self {
            endpoint: target.endpoint.as_ref().map(Endpoint::new),
            failed_ports: target.failed_ports,
            answered_ports: target.answered_ports,
            sample_ports: &target.sample_ports,
        }
    }
}

#[derive(Debug, Serialize)]
struct Criterion {
    measure: String,
    counted: u64,
    threshold: u64,
    window: Option<String>,
}

impl Criterion {
    fn new(criterion: &v1::Criterion) -> Self {
        let window = criterion
            .window
            .and_then(|window| Duration::try_from(window).ok());
        Self {
            measure: names::measure(criterion.measure),
            counted: criterion.counted,
            threshold: criterion.threshold,
            // As protobuf's own JSON mapping writes it.
            window: window.map(|window| format!("{}s", window.as_secs_f64())),
        }
    }
}

#[derive(Debug, Serialize)]
struct PortCounts {
    distinct: u32,
    refused: u32,
    answered: u32,
    silent: u32,
    /// As pairs of first and last; null when nobody knows them.
    distinct_set: Option<Vec<[u16; 2]>>,
    refused_set: Option<Vec<[u16; 2]>>,
    answered_set: Option<Vec<[u16; 2]>>,
}

impl PortCounts {
    fn new(ports: &v1::PortCounts) -> Self {
        Self {
            distinct: ports.distinct,
            refused: ports.refused,
            answered: ports.answered,
            silent: ports.silent,
            distinct_set: pairs(ports.distinct_set.as_ref()),
            refused_set: pairs(ports.refused_set.as_ref()),
            answered_set: pairs(ports.answered_set.as_ref()),
        }
    }
}

fn pairs(set: Option<&v1::PortSet>) -> Option<Vec<[u16; 2]>> {
    let runs = port_sets::runs(set?).ok()?;
    Some(runs.iter().map(|run| [*run.start(), *run.end()]).collect())
}

#[derive(Debug, Serialize)]
struct Coverage {
    records_dropped: u64,
    parse_failures: u64,
    sample_rate: u32,
    spoofed_packets: u64,
    contained_packets: u64,
    reply_filter_percent: u32,
}

impl Coverage {
    fn new(coverage: &v1::Coverage) -> Self {
        Self {
            records_dropped: coverage.records_dropped,
            parse_failures: coverage.parse_failures,
            sample_rate: coverage.sample_rate,
            spoofed_packets: coverage.spoofed_packets,
            contained_packets: coverage.contained_packets,
            reply_filter_percent: coverage.reply_filter_percent,
        }
    }
}
