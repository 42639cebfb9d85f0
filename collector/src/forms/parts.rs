//! What several of the forms take from an event in the same way.

use std::{net::IpAddr, time::SystemTime};

use api::{harmless::harmless, json, names, v1, workload};
use serde_json::{Map, Value};

/// As text on one line, without what says nothing.
pub(super) fn text(document: Value) -> String {
    pruned(document).to_string()
}

/// Without null, and without what is empty.
pub(super) fn pruned(mut document: Value) -> Value {
    prune(&mut document);
    document
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|_, value| !is_empty(value));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(prune);
            items.retain(|value| !is_empty(value));
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `node/epoch/sequence`; empty of what an agent without a collector serves.
pub(super) fn id(id: Option<&v1::EventId>) -> String {
    id.map_or_else(String::new, |id| {
        format!("{}/{}/{}", id.node, id.epoch, id.sequence)
    })
}

/// Where it was raised.
pub(super) fn node(event: &v1::Event) -> &str {
    event.id.as_ref().map_or("", |id| &id.node)
}

/// The anomaly that it is about, which is another's when people say what they make of it.
pub(super) fn anomaly(event: &v1::Event) -> &str {
    let triage = event.triage.as_ref();
    triage.map_or(&event.anomaly_id, |it| &it.anomaly_id)
}

/// What happened: a step in the life of an anomaly, what was done about a pod, or what people made of it.
pub(super) fn step(event: &v1::Event) -> String {
    match (&event.action, &event.triage) {
        (Some(action), _) => names::action(action.kind),
        (None, Some(triage)) => names::triage(triage.kind),
        (None, None) => names::state(event.state),
    }
}

/// Whether somebody is to be alarmed.
pub(super) fn alarms(event: &v1::Event) -> bool {
    !event.shadow && event.action.is_none() && event.triage.is_none()
}

/// The sentence, for people.
pub(super) fn message(event: &v1::Event) -> String {
    harmless(&event.summary)
}

/// The sentence that tells of a gap.
pub(super) fn gap_message(gap: &v1::Gap) -> String {
    let lost = match gap.events {
        1 => "1 event is missing".to_owned(),
        events => format!("{events} events are missing"),
    };
    harmless(&format!("{lost} of {}: {}", gap.node, gap.reason))
}

/// The pod or pods that it is about: who did it or, when nobody knows, whom it is done to.
pub(super) fn subject(event: &v1::Event) -> Option<&v1::Endpoint> {
    source(event).or_else(|| event.targets.first()?.endpoint.as_ref())
}

/// Who did it, if that is known.
pub(super) fn source(event: &v1::Event) -> Option<&v1::Endpoint> {
    let source = event.source.as_ref();
    source.filter(|it| **it != v1::Endpoint::default())
}

/// The address, if it is one.
pub(super) fn ip(endpoint: &v1::Endpoint) -> Option<String> {
    let address: IpAddr = endpoint.address.parse().ok()?;
    Some(address.to_canonical().to_string())
}

/// How people call it: the pod, the service, the workload or the node; empty when nobody knows any.
pub(super) fn name(endpoint: &v1::Endpoint) -> &str {
    let names = [
        &endpoint.pod,
        &endpoint.service,
        &endpoint.workload,
        &endpoint.node,
    ];
    names
        .into_iter()
        .find(|it| !it.is_empty())
        .map_or("", |it| it)
}

/// What made the pod, or the workload that is meant as a whole.
pub(super) fn workload(endpoint: &v1::Endpoint) -> &str {
    match (&endpoint.workload[..], &endpoint.pod[..]) {
        ("", "") => "",
        ("", pod) => workload::of(endpoint.owner.as_ref(), pod),
        (workload, _) => workload,
    }
}

/// Of what crosses the wire: the name of the protocol, and its number; none where several would do.
pub(super) fn protocol(event: &v1::Event) -> Option<(&'static str, u8)> {
    use v1::Technique as T;
    match event.technique() {
        T::TcpConnect
        | T::TcpSyn
        | T::TcpNull
        | T::TcpFin
        | T::TcpXmas
        | T::TcpOther
        | T::TcpAck
        | T::TcpMaimon
        | T::TcpSynAck
        | T::TinyFragment => Some(("tcp", 6)),
        T::Udp => Some(("udp", 17)),
        T::SctpInit | T::SctpCookieEcho => Some(("sctp", 132)),
        T::Ping | T::Neighbour | T::IpProtocol | T::Unspecified => None,
    }
}

/// In milliseconds since 1970.
pub(super) fn milliseconds(time: Option<v1::Timestamp>) -> Option<u64> {
    let since = api::times::known(time)?
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// These fields of the event, as Picket's own JSON has them.
pub(super) fn fields(event: &v1::Event, keys: &[&str]) -> serde_json::Result<Map<String, Value>> {
    let mut fields = match serde_json::to_value(json::Event::new(event))? {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.retain(|key, _| keys.contains(&key.as_str()));
    Ok(fields)
}
