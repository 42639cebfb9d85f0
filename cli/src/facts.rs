//! What an event tells beside its sentence, for people: where, whose, how much, and how much of it was seen.

use api::{
    filter::subject,
    names,
    v1::{Coverage, Endpoint, Event, PortCounts, Technique},
};

/// Names and values, in an order; only those that are known.
pub(crate) fn of(event: &Event) -> Vec<(&'static str, String)> {
    let subject = subject(event);
    let of_subject = |value: fn(&Endpoint) -> String| subject.map(value).unwrap_or_default();
    let technique = match event.technique() {
        Technique::Unspecified => String::new(),
        known => names::technique(known),
    };
    let facts = [
        (
            "node",
            event
                .id
                .as_ref()
                .map_or_else(String::new, |it| it.node.clone()),
        ),
        ("detector", event.detector.clone()),
        ("workload", of_subject(workload)),
        ("uid", of_subject(|it| it.uid.clone())),
        ("address", of_subject(|it| it.address.clone())),
        ("technique", technique),
        ("ports", ports(event, |it| it.distinct)),
        ("refused", ports(event, |it| it.refused)),
        ("coverage", coverage(event)),
        ("anomaly", event.anomaly_id.clone()),
    ];
    facts.into_iter().filter(|(_, it)| !it.is_empty()).collect()
}

/// What made the pod, or else what it is part of; empty when unknown.
pub(crate) fn workload(endpoint: &Endpoint) -> String {
    match &endpoint.owner {
        Some(owner) if !owner.name.is_empty() => format!("{}/{}", owner.kind, owner.name),
        _ => endpoint.workload.clone(),
    }
}

/// A count of ports; empty when none are counted.
pub(crate) fn ports(event: &Event, count: fn(&PortCounts) -> u32) -> String {
    let counts = event.ports.as_ref();
    counts.map_or_else(String::new, |it| count(it).to_string())
}

/// What was not seen; empty when nobody says.
pub(crate) fn coverage(event: &Event) -> String {
    event.coverage.as_ref().map_or_else(String::new, missed)
}

fn missed(coverage: &Coverage) -> String {
    let missed = [
        (coverage.records_dropped, "records-dropped"),
        (coverage.parse_failures, "not-parsed"),
        (coverage.spoofed_packets, "spoofed"),
        (coverage.contained_packets, "contained"),
    ];
    let missed: Vec<_> = missed
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count}-{what}"))
        .collect();
    match missed.is_empty() {
        true => "complete".to_owned(),
        false => missed.join(","),
    }
}
