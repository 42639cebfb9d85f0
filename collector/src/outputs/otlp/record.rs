//! An event as a log record of OpenTelemetry's data model.

use std::time::{SystemTime, UNIX_EPOCH};

use api::{filter, names, times, v1};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::{LogRecord, SeverityNumber},
};

use crate::{
    forms::Form,
    outputs::entry::{self, id, sentence},
    store::Entry,
};

/// The sentence is its body; what it is about, and all of it in a form, are attributes.
pub(super) fn of(entry: &Entry, form: Form, now: SystemTime) -> Result<LogRecord, String> {
    let whole = entry::text(form, entry)?;
    let (name, severity, at) = match entry {
        Entry::Event(event) => ("picket.event", severity(event.severity()), event.raised_at),
        Entry::Gap(gap) => ("picket.gap", SeverityNumber::Warn, gap.last_raised_at),
    };
    let mut attributes = vec![
        text("picket.id", &id(entry)),
        text("event.original", &whole),
    ];
    let severity_text = match entry {
        Entry::Event(event) => {
            attributes.extend(about(event));
            names::severity(event.severity)
        }
        Entry::Gap(gap) => {
            attributes.push(text("k8s.node.name", &gap.node));
            "medium".into()
        }
    };
    attributes.retain(|it| !matches!(value(it), Some("")));
    Ok(LogRecord {
        time_unix_nano: times::known(at).map_or(0, nanoseconds),
        observed_time_unix_nano: nanoseconds(now),
        severity_number: severity.into(),
        severity_text,
        body: Some(string(&sentence(entry))),
        attributes,
        event_name: name.into(),
        ..LogRecord::default()
    })
}

/// Under the names of the semantic conventions, where there are some.
fn about(event: &v1::Event) -> Vec<KeyValue> {
    let node = event.id.as_ref().map_or("", |id| &id.node);
    let mut all = vec![
        text("k8s.node.name", node),
        text("picket.detector", &event.detector),
        text("picket.state", &names::state(event.state)),
        text("picket.anomaly_id", &event.anomaly_id),
        text("picket.technique", &names::technique(event.technique)),
        text("threat.technique.id", &event.attack_ids.join(" ")),
    ];
    if let Some(subject) = filter::subject(event) {
        all.extend([
            text("k8s.namespace.name", &subject.namespace),
            text("k8s.pod.name", &subject.pod),
            text("k8s.pod.uid", &subject.uid),
            text("source.address", &subject.address),
        ]);
    }
    let target = event.targets.first().and_then(|it| it.endpoint.as_ref());
    if let Some(target) = target {
        all.push(text("destination.address", &target.address));
    }
    all
}

fn severity(severity: v1::Severity) -> SeverityNumber {
    match severity {
        v1::Severity::High => SeverityNumber::Error,
        v1::Severity::Medium => SeverityNumber::Warn,
        v1::Severity::Low => SeverityNumber::Info2,
        v1::Severity::Info | v1::Severity::Unspecified => SeverityNumber::Info,
    }
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(string(value)),
        ..KeyValue::default()
    }
}

fn string(text: &str) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text.into())),
    }
}

fn value(pair: &KeyValue) -> Option<&str> {
    match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
