//! Picket's own JSON, as the command line prints it.

use api::{json, v1};
use serde::Serialize;

#[derive(Serialize)]
struct Line<T> {
    kind: &'static str,
    #[serde(flatten)]
    body: T,
}

pub(super) fn event(event: &v1::Event) -> serde_json::Result<String> {
    serde_json::to_string(&Line {
        kind: "event",
        body: json::Event::new(event),
    })
}

pub(super) fn gap(gap: &v1::Gap) -> serde_json::Result<String> {
    serde_json::to_string(&Line {
        kind: "gap",
        body: json::Gap::new(gap),
    })
}
