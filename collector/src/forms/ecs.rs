//! Alerts of the Elastic Common Schema; what that has no field for is below `picket`.

use std::collections::BTreeSet;

use api::{names, times, v1};
use serde_json::{Map, Value, json};

use super::{attack, parts, words};

/// Of the schema.
const VERSION: &str = "9.4.0";

/// What is below `picket`, as Picket's own JSON has it.
const REST: [&str; 19] = [
    "action",
    "anomaly_id",
    "correlated",
    "correlated_into",
    "counted",
    "coverage",
    "crossed",
    "crossed_at",
    "detector",
    "durability",
    "further_targets",
    "ports",
    "samples",
    "shadow",
    "source",
    "state",
    "targets",
    "triage",
    "withheld",
];

pub(super) fn event(event: &v1::Event) -> serde_json::Result<String> {
    let kind = if parts::alarms(event) {
        "alert"
    } else {
        "event"
    };
    let title = words::title(&event.detector);
    let mut document = json!({
        "@timestamp": times::exact(event.raised_at),
        "ecs": {"version": VERSION},
        "message": parts::message(event),
        "tags": ["picket", event.detector],
        "event": {
            "kind": kind,
            "category": ["intrusion_detection", "network"],
            "type": types(event),
            "action": format!("{}_{}", event.detector, parts::step(event)),
            "code": event.detector,
            "id": parts::id(event.id.as_ref()),
            "sequence": event.cursor,
            "severity": event.severity,
            "start": times::exact(event.first_seen),
            "end": times::exact(event.last_seen),
            "created": times::exact(event.raised_at),
            "module": "picket",
            "dataset": "picket.events",
            "provider": "picket",
            "reason": event.action.as_ref().map(|it| &it.reason),
        },
        "rule": {
            "id": event.detector,
            "name": title,
            "category": event.detector,
            "description": words::about(&event.detector),
            "ruleset": "picket",
        },
        "host": {"name": parts::node(event), "hostname": parts::node(event)},
        "observer": observer(),
        "source": parts::source(event).map(side),
        "destination": destination(event),
        "network": network(event),
        "orchestrator": parts::subject(event).map(orchestrator),
        "related": related(event),
        "threat": threat(event),
        "user": {"name": by(event)},
    });
    document["picket"] = Value::Object(rest(event)?);
    Ok(parts::text(document))
}

/// The schema's word for trouble on the way of events.
pub(super) fn gap(gap: &v1::Gap) -> serde_json::Result<String> {
    let last = times::exact(gap.last_raised_at);
    Ok(parts::text(json!({
        // The schema wants it, also of a gap that nobody knows the time of.
        "@timestamp": last.as_deref().unwrap_or("1970-01-01T00:00:00.000000000Z"),
        "ecs": {"version": VERSION},
        "message": parts::gap_message(gap),
        "tags": ["picket", "gap"],
        "event": {
            "kind": "pipeline_error",
            "category": ["intrusion_detection", "network"],
            "type": ["info"],
            "action": "gap",
            "code": "gap",
            "id": parts::id(gap.id.as_ref()),
            "sequence": gap.cursor,
            "start": times::exact(gap.first_raised_at),
            "end": last,
            "module": "picket",
            "dataset": "picket.events",
            "provider": "picket",
            "reason": gap.reason,
        },
        "host": {"name": gap.node, "hostname": gap.node},
        "observer": observer(),
        "picket": {"gap": serde_json::to_value(api::json::Gap::new(gap))?},
    })))
}

fn types(event: &v1::Event) -> Vec<&'static str> {
    let step = match event.action.as_ref().map(v1::Action::kind) {
        Some(v1::ActionKind::Contained | v1::ActionKind::Renewed | v1::ActionKind::Held) => {
            Some("denied")
        }
        Some(v1::ActionKind::Released | v1::ActionKind::Expired) => Some("allowed"),
        Some(_) => None,
        None if event.triage.is_some() => None,
        None => match event.state() {
            v1::State::Opened => Some("start"),
            v1::State::Closed => Some("end"),
            v1::State::Updated | v1::State::Unspecified => None,
        },
    };
    ["info"].into_iter().chain(step).collect()
}

fn observer() -> Value {
    json!({
        "vendor": "Picket",
        "product": "Picket",
        "type": "ids",
        "version": env!("CARGO_PKG_VERSION"),
    })
}

fn side(endpoint: &v1::Endpoint) -> Value {
    let address = match &endpoint.address[..] {
        "" => parts::name(endpoint),
        address => address,
    };
    json!({"address": address, "ip": parts::ip(endpoint)})
}

/// The first target: the schema has one.
fn destination(event: &v1::Event) -> Value {
    let Some(target) = event.targets.first() else {
        return Value::Null;
    };
    let mut side = target.endpoint.as_ref().map(side).unwrap_or_default();
    side["port"] = json!(target.sample_ports.first());
    side
}

fn network(event: &v1::Event) -> Value {
    let addresses = event.targets.iter().filter_map(|it| it.endpoint.as_ref());
    let address = addresses.chain(parts::source(event)).find_map(parts::ip);
    json!({
        "transport": parts::protocol(event).map(|it| it.0),
        "type": address.map(|it| if it.contains(':') { "ipv6" } else { "ipv4" }),
    })
}

fn orchestrator(subject: &v1::Endpoint) -> Value {
    let kind = match (&subject.pod[..], &subject.service[..]) {
        ("", "") => "workload",
        ("", _) => "service",
        _ => "pod",
    };
    let labels = subject.labels.iter();
    json!({
        "type": "kubernetes",
        "namespace": subject.namespace,
        "resource": {
            "id": subject.uid,
            "ip": parts::ip(subject).map(|it| [it]),
            "label": labels.map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>(),
            "name": parts::name(subject),
            "parent": {"type": subject.owner.as_ref().map(|it| &it.kind)},
            "type": kind,
        },
    })
}

fn related(event: &v1::Event) -> Value {
    let targets = event.targets.iter().filter_map(|it| it.endpoint.as_ref());
    let endpoints: Vec<_> = targets.chain(parts::source(event)).collect();
    let addresses: BTreeSet<_> = endpoints.iter().filter_map(|it| parts::ip(it)).collect();
    let names = endpoints.iter().flat_map(|it| [parts::name(it), &it.node]);
    let names: BTreeSet<_> = names.filter(|it| !it.is_empty()).collect();
    json!({"ip": addresses, "hosts": names, "user": [by(event)]})
}

/// Who made something of an anomaly, or commanded what was done.
fn by(event: &v1::Event) -> &str {
    let action = event.action.as_ref().map(|it| &it.by);
    let triage = event.triage.as_ref().map(|it| &it.by);
    action.or(triage).map_or("", |it| it)
}

fn threat(event: &v1::Event) -> Value {
    if event.attack_ids.is_empty() {
        return Value::Null;
    }
    let known = event.attack_ids.iter().map(|it| attack::technique(it));
    let mut known: Vec<_> = known.flatten().collect();
    let (subtechniques, mut techniques): (Vec<_>, Vec<_>) = known
        .iter()
        .copied()
        .partition(|it| attack::above(it.id).is_some());
    techniques.extend(subtechniques.iter().filter_map(|it| attack::above(it.id)));
    known.dedup_by_key(|it| it.tactic);
    let of = |it: &[attack::Technique]| {
        json!({
            "id": it.iter().map(|it| it.id).collect::<Vec<_>>(),
            "name": it.iter().map(|it| it.name).collect::<Vec<_>>(),
        })
    };
    let mut technique = of(&techniques);
    technique["subtechnique"] = of(&subtechniques);
    json!({
        "framework": "MITRE ATT&CK",
        "tactic": {
            "id": known.iter().map(|it| it.tactic.id).collect::<Vec<_>>(),
            "name": known.iter().map(|it| it.tactic.name).collect::<Vec<_>>(),
        },
        "technique": technique,
    })
}

/// Labels are left out, for each of their keys would become a field of the index.
fn rest(event: &v1::Event) -> serde_json::Result<Map<String, Value>> {
    let mut rest = parts::fields(event, &REST)?;
    if event.technique != 0 {
        rest.insert("technique".into(), json!(names::technique(event.technique)));
    }
    let targets = rest.get_mut("targets").and_then(Value::as_array_mut);
    for target in targets.into_iter().flatten() {
        without_labels(&mut target["endpoint"]);
    }
    if let Some(source) = rest.get_mut("source") {
        without_labels(source);
    }
    Ok(rest)
}

fn without_labels(endpoint: &mut Value) {
    if let Some(fields) = endpoint.as_object_mut() {
        fields.remove("labels");
    }
}
