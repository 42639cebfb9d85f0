//! Anomalies that are open, with how far each is over its threshold.

use std::time::SystemTime;

use api::{
    filter::subject,
    times::known,
    v1::{Anomaly, Event},
};

use super::super::{
    row::{Column, Heat, Key, Row},
    snapshot::Snapshot,
};
use crate::{names, time};

pub(super) const COLUMNS: &[Column] = &[
    ("SEVERITY", 8),
    ("POD", 26),
    ("DETECTOR", 18),
    ("COUNTED", 13),
    ("OPENED", 10),
    ("UPDATED", 10),
    ("WHAT", 0),
];

pub(super) const SORTS: &[&str] = &["severity", "updated", "counted", "pod", "detector"];

pub(super) fn rows(snapshot: &Snapshot, now: SystemTime) -> Vec<Row> {
    let anomalies = snapshot.anomalies.anomalies.iter();
    anomalies.map(|it| row(it, now)).collect()
}

fn row(anomaly: &Anomaly, now: SystemTime) -> Row {
    let none = Event::default();
    let last = anomaly.last.as_ref().unwrap_or(&none);
    let node = last.id.as_ref().map_or("", |it| &it.node);
    let pod = subject(last).and_then(|it| names::pod(&it.namespace, &it.pod));
    let pod = pod.unwrap_or_else(|| match subject(last) {
        Some(it) if !it.address.is_empty() => it.address.clone(),
        _ => format!("node {node}"),
    });
    let crossed = last.crossed.as_ref();
    let counted = last.counted.max(crossed.map_or(0, |it| it.counted));
    let budget = crossed.map_or_else(
        || "-".to_owned(),
        |it| format!("{counted}/{}", it.threshold),
    );
    let updated = known(anomaly.updated_at);
    let updated = updated.and_then(|at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let updated = updated.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
    let severity = u64::try_from(last.severity).unwrap_or(0);
    Row {
        id: anomaly.id.clone(),
        cells: vec![
            names::severity(last.severity()),
            pod.clone(),
            last.detector.clone(),
            budget,
            time::age(anomaly.opened_at, now),
            time::age(anomaly.updated_at, now),
            last.summary.clone(),
        ],
        keys: vec![
            Key::Most(severity),
            Key::Most(updated),
            Key::Most(counted),
            Key::Text(pod),
            Key::Text(last.detector.clone()),
        ],
        heat: Heat::from(last.severity()),
    }
}
