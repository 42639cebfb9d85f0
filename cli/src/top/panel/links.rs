//! Who contacts whom, those first where an anomaly is open.

use std::{collections::BTreeMap, time::SystemTime};

use api::{
    times::known,
    v1::{Link, LinkPort, Vertex, VertexKind},
};

use super::super::{
    row::{Column, Heat, Key, Row},
    snapshot::Snapshot,
};
use crate::{names, time};

pub(super) const COLUMNS: &[Column] = &[
    ("FROM", 0),
    ("TO", 0),
    ("PORTS", 0),
    ("SEEN", 10),
    ("OPEN", 10),
];

pub(super) const SORTS: &[&str] = &["open", "seen", "ports", "from", "to"];

pub(super) fn rows(snapshot: &Snapshot, now: SystemTime) -> Vec<Row> {
    let vertices = snapshot.graph.vertices.iter();
    let names: BTreeMap<_, _> = vertices.map(|it| (it.id.as_str(), name(it))).collect();
    let links = snapshot.graph.links.iter();
    links.map(|it| row(it, &names, now)).collect()
}

/// As people call it: a Service is told from a workload of the same name.
fn name(vertex: &Vertex) -> String {
    let Vertex {
        namespace, name, ..
    } = vertex;
    match vertex.kind() {
        VertexKind::Service => format!("{namespace}/{name} (service)"),
        VertexKind::Node => format!("node {name}"),
        _ if namespace.is_empty() => name.clone(),
        _ => format!("{namespace}/{name}"),
    }
}

fn row(link: &Link, names: &BTreeMap<&str, String>, now: SystemTime) -> Row {
    let name = |id: &String| names.get(id.as_str()).unwrap_or(id).clone();
    let (source, destination) = (name(&link.source), name(&link.destination));
    let burning = link.burning.as_ref().filter(|it| it.open > 0);
    let open = burning.map_or_else(String::new, |it| {
        format!("{} {}", it.open, names::severity(it.severity()))
    });
    let count = u64::try_from(link.ports.len()).unwrap_or(u64::MAX);
    let count = count.saturating_add(link.further_ports.into());
    let weight = burning.map_or(0, |it| {
        u64::try_from(it.severity).unwrap_or(0) << 32 | u64::from(it.open)
    });
    let seen: Option<SystemTime> = known(link.last_seen);
    let seen = seen.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    Row {
        id: format!("{}\n{}", link.source, link.destination),
        cells: vec![
            source.clone(),
            destination.clone(),
            ports(link),
            time::age(link.last_seen, now),
            open,
        ],
        keys: vec![
            Key::Most(weight),
            Key::Most(seen.map_or(0, |it| it.as_secs())),
            Key::Most(count),
            Key::Text(source),
            Key::Text(destination),
        ],
        heat: burning.map_or(Heat::Cold, |it| Heat::from(it.severity())),
    }
}

/// A port that no Service declares has a question mark.
fn ports(link: &Link) -> String {
    let port = |it: &LinkPort| {
        let declared = if it.declared { "" } else { "?" };
        let transport = api::names::transport(it.transport());
        format!("{transport}/{}{declared}", it.port)
    };
    let mut ports: Vec<_> = link.ports.iter().map(port).collect();
    if link.further_ports > 0 {
        ports.push(format!("+{}", link.further_ports));
    }
    ports.join(" ")
}
