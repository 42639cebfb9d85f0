//! Lines for machines: the messages of the wire under stable names.

pub(crate) use api::json::{Canary, Finding, Policy, Quarantine};
use api::{
    json::{Containment, Event, Gap, Node},
    v1,
};
use serde::Serialize;

#[derive(Serialize)]
struct Line<T> {
    kind: &'static str,
    #[serde(flatten)]
    body: T,
}

pub(crate) fn event(event: &v1::Event) -> serde_json::Result<String> {
    line("event", Event::new(event))
}

pub(crate) fn gap(gap: &v1::Gap) -> serde_json::Result<String> {
    line("gap", Gap::new(gap))
}

pub(crate) fn node(node: &v1::Node) -> serde_json::Result<String> {
    line("node", Node::new(node))
}

pub(crate) fn containment(containment: &v1::Containment) -> serde_json::Result<String> {
    line("containment", Containment::new(containment))
}

pub(crate) fn quarantine(quarantine: &Quarantine<'_>) -> serde_json::Result<String> {
    line("quarantine", quarantine)
}

fn line(kind: &'static str, body: impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(&Line { kind, body })
}
