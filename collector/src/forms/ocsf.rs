//! Detection Findings of the Open Cybersecurity Schema Framework: one finding for each anomaly, which its events create,
//! update and close.

mod evidence;

use api::v1;
use serde_json::{Value, json};

use super::{attack, parts, words};

/// Of the schema.
const VERSION: &str = "1.8.0";
const CATEGORY: u32 = 2;
const CLASS: u32 = 2004;
/// Of what has no class of its own.
const OTHER: u32 = 99;

/// What the schema has no attribute for, as Picket's own JSON has it.
const UNMAPPED: [&str; 16] = [
    "action",
    "counted",
    "coverage",
    "crossed",
    "durability",
    "further_targets",
    "ports",
    "raised_at",
    "samples",
    "shadow",
    "source",
    "state",
    "targets",
    "technique",
    "triage",
    "withheld",
];

pub(super) fn event(event: &v1::Event) -> serde_json::Result<String> {
    let (activity, activity_name) = activity(event);
    let mut document = json!({
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity,
        "type_name": format!("Detection Finding: {activity_name}"),
        "time": parts::milliseconds(event.raised_at).unwrap_or_default(),
        "start_time": parts::milliseconds(event.first_seen),
        "end_time": parts::milliseconds(event.last_seen),
        "message": parts::message(event),
        "is_alert": parts::alarms(event),
        "device": device(parts::node(event)),
        "metadata": metadata(
            &parts::id(event.id.as_ref()),
            event.cursor,
            &event.detector,
            profiles(event),
        ),
        "finding_info": finding(event),
        "evidences": evidence::evidences(event),
        "resources": evidence::resources(event),
        "observables": evidence::observables(event),
        "unmapped": parts::fields(event, &UNMAPPED)?,
    });
    let (severity, severity_name) = severity(event.severity());
    document["severity_id"] = json!(severity);
    document["severity"] = json!(severity_name);
    if let Some((status, name)) = status(event) {
        document["status_id"] = json!(status);
        document["status"] = json!(name);
    }
    if let Some(triage) = &event.triage {
        document["comment"] = json!(triage.note);
        document["assignee"] = json!({"name": triage.assignee});
    }
    if let Some((action, disposition, name)) = event.action.as_ref().and_then(disposition) {
        document["action_id"] = json!(action);
        document["disposition_id"] = json!(disposition);
        document["disposition"] = json!(name);
    }
    if let Some(action) = &event.action {
        document["status_detail"] = json!(action.reason);
    }
    Ok(parts::text(document))
}

/// A gap is no finding: the schema's base event tells of it.
pub(super) fn gap(gap: &v1::Gap) -> serde_json::Result<String> {
    Ok(parts::text(json!({
        "activity_id": OTHER,
        "activity_name": "Gap",
        "category_uid": 0,
        "class_uid": 0,
        "class_name": "Base Event",
        "type_uid": OTHER,
        "time": parts::milliseconds(gap.last_raised_at).unwrap_or_default(),
        "start_time": parts::milliseconds(gap.first_raised_at),
        "end_time": parts::milliseconds(gap.last_raised_at),
        "message": parts::gap_message(gap),
        "severity_id": 3,
        "severity": "Medium",
        "status_id": 2,
        "status": "Failure",
        "status_detail": gap.reason,
        "count": gap.events,
        "metadata": metadata(&parts::id(gap.id.as_ref()), gap.cursor, "gap", &[]),
        "unmapped": serde_json::to_value(api::json::Gap::new(gap))?,
    })))
}

fn activity(event: &v1::Event) -> (u32, &'static str) {
    const UPDATE: (u32, &str) = (2, "Update");
    const CLOSE: (u32, &str) = (3, "Close");
    if let Some(triage) = &event.triage {
        return match triage.kind() {
            v1::TriageKind::Resolved => CLOSE,
            _ => UPDATE,
        };
    }
    match event.state() {
        v1::State::Opened => (1, "Create"),
        v1::State::Updated => UPDATE,
        v1::State::Closed => CLOSE,
        v1::State::Unspecified => (0, "Unknown"),
    }
}

fn severity(severity: v1::Severity) -> (u32, &'static str) {
    match severity {
        v1::Severity::Unspecified => (0, "Unknown"),
        v1::Severity::Info => (1, "Informational"),
        v1::Severity::Low => (2, "Low"),
        v1::Severity::Medium => (3, "Medium"),
        v1::Severity::High => (4, "High"),
    }
}

/// None of an event that says nothing of it: that an anomaly goes on does not undo what people made of it.
fn status(event: &v1::Event) -> Option<(u32, &'static str)> {
    const NEW: (u32, &str) = (1, "New");
    if let Some(triage) = &event.triage {
        return match triage.kind() {
            v1::TriageKind::Acknowledged | v1::TriageKind::Assigned => Some((2, "In Progress")),
            v1::TriageKind::Resolved => Some((4, "Resolved")),
            v1::TriageKind::Reopened => Some(NEW),
            v1::TriageKind::Noted | v1::TriageKind::Unspecified => None,
        };
    }
    match event.state() {
        _ if event.shadow => Some((3, "Suppressed")),
        v1::State::Opened => Some(NEW),
        _ => None,
    }
}

/// Action, disposition, and how that is called.
fn disposition(action: &v1::Action) -> Option<(u32, u32, &'static str)> {
    const OBSERVED: u32 = 3;
    const DENIED: u32 = 2;
    match action.kind() {
        v1::ActionKind::Contained | v1::ActionKind::Renewed => Some((DENIED, 4, "Isolated")),
        v1::ActionKind::Held => Some((DENIED, 14, "Delayed")),
        v1::ActionKind::Released | v1::ActionKind::Expired => Some((1, 9, "Restored")),
        v1::ActionKind::Proposed | v1::ActionKind::Refused => Some((OBSERVED, 16, "No Action")),
        v1::ActionKind::Unspecified => None,
    }
}

/// Attributes beyond the class's own come with a profile.
fn profiles(event: &v1::Event) -> &'static [&'static str] {
    match (&event.action, &event.triage) {
        (Some(_), _) => &["security_control"],
        (None, Some(_)) => &["incident"],
        (None, None) => &[],
    }
}

fn metadata(id: &str, cursor: u64, code: &str, profiles: &[&str]) -> Value {
    json!({
        "version": VERSION,
        "uid": id,
        "sequence": cursor,
        "event_code": code,
        "log_name": "picket.v1",
        "profiles": profiles,
        "product": {
            "name": "Picket",
            "vendor_name": "Picket",
            "version": env!("CARGO_PKG_VERSION"),
        },
    })
}

fn device(node: &str) -> Value {
    match node {
        "" => Value::Null,
        node => json!({"name": node, "hostname": node, "type_id": 1, "type": "Server"}),
    }
}

fn finding(event: &v1::Event) -> Value {
    const BEHAVIORAL: u32 = 2;
    let state = if event.shadow {
        (3, "Experimental")
    } else {
        (1, "Active")
    };
    let correlated = event.correlated.iter().chain([&event.correlated_into]);
    let answered = event.action.iter().map(|it| &it.anomaly_id);
    let related = correlated.chain(answered).filter(|it| !it.is_empty());
    json!({
        "uid": parts::anomaly(event),
        "title": words::title(&event.detector),
        "desc": words::about(&event.detector),
        "types": [event.detector],
        "first_seen_time": parts::milliseconds(event.first_seen),
        "last_seen_time": parts::milliseconds(event.last_seen),
        "created_time": parts::milliseconds(event.crossed_at),
        "modified_time": parts::milliseconds(event.raised_at),
        "attacks": event.attack_ids.iter().map(|it| attack(it)).collect::<Vec<_>>(),
        "analytic": {
            "uid": event.detector,
            "name": words::title(&event.detector),
            "type_id": BEHAVIORAL,
            "type": "Behavioral",
            "state_id": state.0,
            "state": state.1,
        },
        "related_events": related
            .map(|it| json!({"uid": it, "type": "anomaly"}))
            .collect::<Vec<_>>(),
    })
}

fn attack(id: &str) -> Value {
    let named = |it: attack::Technique| json!({"uid": it.id, "name": it.name});
    let Some(technique) = attack::technique(id) else {
        return json!({"technique": {"uid": id}});
    };
    let tactic = json!({"uid": technique.tactic.id, "name": technique.tactic.name});
    match attack::above(id) {
        Some(above) => {
            json!({"tactic": tactic, "technique": named(above), "sub_technique": named(technique)})
        }
        None => json!({"tactic": tactic, "technique": named(technique)}),
    }
}
