//! How much of its budget each pod has spent: new ports within a minute, against the threshold.

use api::v1::Slot;

use super::super::{
    row::{Column, Heat, Key, Row},
    snapshot::Snapshot,
};
use crate::names;

pub(super) const COLUMNS: &[Column] =
    &[("POD", 0), ("NODE", 14), ("PORTS/MIN", 10), ("BUDGET", 17)];

pub(super) const SORTS: &[&str] = &["ports", "pod", "node"];

/// Characters of a bar.
const BAR: u32 = 10;

pub(super) fn rows(snapshot: &Snapshot) -> Vec<Row> {
    let nodes = snapshot.nodes.as_deref().unwrap_or_default();
    let slots = nodes.iter().flat_map(|node| {
        let slots = node.status.iter().flat_map(|it| &it.slots);
        slots.map(|slot| (node.name.as_str(), slot))
    });
    slots
        .map(|(node, slot)| row(node, slot, snapshot.ports_per_minute))
        .collect()
}

fn row(node: &str, slot: &Slot, threshold: Option<u32>) -> Row {
    let pod = match slot.uplink {
        true => format!("(node) {}", slot.interface),
        false => names::pod(&slot.namespace, &slot.pod).unwrap_or_else(|| slot.interface.clone()),
    };
    let ports = slot.distinct_ports;
    let heat = match threshold {
        Some(threshold) if ports >= threshold => Heat::High,
        Some(threshold) if ports >= threshold / 2 => Heat::Medium,
        _ => Heat::Cold,
    };
    Row {
        id: format!("{node}\n{}", slot.interface),
        cells: vec![
            pod.clone(),
            node.to_owned(),
            ports.to_string(),
            threshold.map_or_else(|| "-".to_owned(), |it| bar(ports, it)),
        ],
        keys: vec![
            Key::Most(ports.into()),
            Key::Text(pod),
            Key::Text(node.to_owned()),
        ],
        heat,
    }
}

/// Such as `###....... 75/250`.
fn bar(ports: u32, threshold: u32) -> String {
    let share = u64::from(ports) * u64::from(BAR) / u64::from(threshold.max(1));
    let full = u32::try_from(share).unwrap_or(BAR).min(BAR);
    let cells = (0..BAR).map(|it| if it < full { '#' } else { '.' });
    format!("{} /{threshold}", cells.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_when_the_budget_is_spent() {
        for (ports, threshold, expected) in [
            (0, 250, ".......... /250"),
            (75, 250, "###....... /250"),
            (250, 250, "########## /250"),
            (65_536, 1, "########## /1"),
            (u32::MAX, 0, "########## /0"),
        ] {
            assert_eq!(bar(ports, threshold), expected);
        }
    }
}
