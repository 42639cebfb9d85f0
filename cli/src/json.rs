//! Lines for machines: the messages of the wire under stable names.

mod event;
mod node;

use api::v1;
use serde::Serialize;

use self::{event::Event, node::Node};

#[derive(Serialize)]
struct Line<T> {
    kind: &'static str,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize)]
struct Gap<'a> {
    events: u64,
    reason: &'a str,
    node: &'a str,
    cursor: u64,
}

pub(crate) fn event(event: &v1::Event) -> serde_json::Result<String> {
    line("event", Event::new(event))
}

pub(crate) fn gap(gap: &v1::Gap) -> serde_json::Result<String> {
    let body = Gap {
        events: gap.events,
        reason: &gap.reason,
        node: &gap.node,
        cursor: gap.cursor,
    };
    line("gap", body)
}

pub(crate) fn node(node: &v1::Node) -> serde_json::Result<String> {
    line("node", Node::new(node))
}

fn line(kind: &'static str, body: impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(&Line { kind, body })
}
