//! Nodes: what each watches, and how far behind it is.

use std::time::{Duration, SystemTime};

use api::{
    times::known,
    v1::{CoverageState, Node, NodeStatus},
};

use super::super::{
    row::{Column, Heat, Key, Row},
    snapshot::Snapshot,
};
use crate::time;

pub(super) const COLUMNS: &[Column] = &[
    ("NODE", 0),
    ("STATE", 9),
    ("LAG", 8),
    ("SLOTS", 9),
    ("COVERED", 9),
    ("PENDING", 8),
    ("LOST", 7),
];

pub(super) const SORTS: &[&str] = &["lag", "node", "slots", "pending", "lost"];

/// An agent says how it is once a second.
const LATE: Duration = Duration::from_secs(10);

pub(super) fn rows(snapshot: &Snapshot, now: SystemTime) -> Vec<Row> {
    let nodes = snapshot.nodes.as_deref().unwrap_or_default();
    nodes.iter().map(|it| row(it, now)).collect()
}

fn row(node: &Node, now: SystemTime) -> Row {
    let lag =
        known(node.last_seen).map(|at: SystemTime| now.duration_since(at).unwrap_or_default());
    let none = NodeStatus::default();
    let status = node.status.as_ref().unwrap_or(&none);
    let covered = status
        .pods
        .iter()
        .filter(|it| it.state() == CoverageState::Covered);
    let (covered, pods) = (covered.count(), status.pods.len());
    let lost: u64 = status.drops.iter().map(|it| it.count).sum();
    let is_partial = status
        .pods
        .iter()
        .any(|it| it.state() == CoverageState::NotAttached);
    let heat = match lag {
        _ if !node.connected => Heat::High,
        Some(lag) if lag < LATE && !is_partial && status.unwatched.is_empty() => Heat::Cold,
        _ => Heat::Medium,
    };
    let slots = status.slots.len();
    Row {
        id: node.name.clone(),
        cells: vec![
            node.name.clone(),
            if node.connected { "connected" } else { "AWAY" }.to_owned(),
            time::age(node.last_seen, now),
            format!("{slots}/{}", status.slots_capacity),
            format!("{covered}/{pods}"),
            status.events_pending.to_string(),
            lost.to_string(),
        ],
        keys: vec![
            Key::Most(lag.map_or(u64::MAX, |it| it.as_secs())),
            Key::Text(node.name.clone()),
            Key::Most(u64::try_from(slots).unwrap_or(u64::MAX)),
            Key::Most(status.events_pending),
            Key::Most(lost),
        ],
        heat,
    }
}
