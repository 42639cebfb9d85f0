//! Falco's alerts as its `json_output` writes them, so that falcosidekick and all that it sends to take them.

use api::{harmless::harmless, names, times, v1};
use serde_json::{Map, Value, json};

use super::{attack, parts, words};

/// What Falco calls where an event is from.
const SOURCE: &str = "picket";

pub(super) fn event(event: &v1::Event) -> String {
    let message = parts::message(event);
    let mut document = json!({
        "hostname": parts::node(event),
        "output": if message.is_empty() { words::title(&event.detector) } else { message },
        "priority": priority(event),
        "rule": words::title(&event.detector),
        "source": SOURCE,
        "tags": tags(event),
        "time": times::exact(event.raised_at),
    });
    // What is empty is left out, but readers take it for granted that this is there.
    document["output_fields"] = Value::Object(fields(event));
    parts::text(document)
}

pub(super) fn gap(gap: &v1::Gap) -> String {
    parts::text(json!({
        "hostname": gap.node,
        "output": parts::gap_message(gap),
        "priority": "Warning",
        "rule": "Gap",
        "source": SOURCE,
        "tags": ["network", "picket"],
        "time": times::exact(gap.last_raised_at),
        "output_fields": {
            "picket.events": gap.events,
            "picket.id": parts::id(gap.id.as_ref()),
            "picket.reason": gap.reason,
        },
    }))
}

fn priority(event: &v1::Event) -> &'static str {
    if event.shadow {
        return "Debug";
    }
    match event.severity() {
        v1::Severity::High => "Critical",
        v1::Severity::Medium => "Warning",
        v1::Severity::Low => "Notice",
        v1::Severity::Info | v1::Severity::Unspecified => "Informational",
    }
}

/// As Falco's own rules are tagged: `network`, `mitre_discovery`, `T1046`.
fn tags(event: &v1::Event) -> Vec<String> {
    let mut tags = vec!["network".to_owned(), SOURCE.to_owned()];
    for id in &event.attack_ids {
        if let Some(technique) = attack::technique(id) {
            let tactic = technique.tactic.name.to_lowercase().replace(' ', "_");
            tags.push(format!("mitre_{tactic}"));
        }
        tags.push(harmless(id));
    }
    tags.sort();
    tags.dedup();
    tags
}

/// Flat, of text and numbers only: falcosidekick makes labels and columns of them.
fn fields(event: &v1::Event) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    let mut text = |key: &str, value: &str| put(key, Value::String(harmless(value)));
    if let Some(subject) = parts::subject(event) {
        text("k8s.ns.name", &subject.namespace);
        text("k8s.pod.name", &subject.pod);
        text("k8s.pod.uid", &subject.uid);
        text("picket.workload", parts::workload(subject));
        text("picket.service_account", &subject.service_account);
    }
    if let Some(address) = parts::source(event).and_then(parts::ip) {
        text("fd.cip", &address);
    }
    let target = event.targets.first();
    if let Some(endpoint) = target.and_then(|it| it.endpoint.as_ref()) {
        text("fd.sip", &parts::ip(endpoint).unwrap_or_default());
        text("picket.target.namespace", &endpoint.namespace);
        text("picket.target.name", parts::name(endpoint));
    }
    if let Some((protocol, _)) = parts::protocol(event) {
        text("fd.l4proto", protocol);
    }
    text("picket.anomaly", parts::anomaly(event));
    text("picket.detector", &event.detector);
    text("picket.id", &parts::id(event.id.as_ref()));
    text("picket.severity", &names::severity(event.severity));
    text("picket.step", &parts::step(event));
    if event.technique != 0 {
        text("picket.technique", &names::technique(event.technique));
    }
    text("picket.samples", &event.samples.join(" "));
    if let Some(action) = &event.action {
        text("picket.reason", &action.reason);
        text("picket.by", &action.by);
    }
    if let Some(triage) = &event.triage {
        text("picket.by", &triage.by);
        text("picket.assignee", &triage.assignee);
        text("picket.note", &triage.note);
    }
    let port = target.and_then(|it| it.sample_ports.first());
    if let Some(port) = port {
        put("fd.sport", json!(port));
    }
    if let Some(crossed) = &event.crossed {
        put("picket.measure", json!(names::measure(crossed.measure)));
        put("picket.threshold", json!(crossed.threshold));
        put("picket.counted", json!(event.counted.max(crossed.counted)));
    }
    let targets = u64::try_from(event.targets.len()).unwrap_or(u64::MAX);
    put(
        "picket.targets",
        json!(targets.saturating_add(event.further_targets)),
    );
    fields
}
