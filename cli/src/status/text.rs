//! Nodes for people: one table of all, then what each watches and misses.

use std::time::SystemTime;

use api::v1::{CoverageState, Durability, Node, NodeStatus, Slot};

use crate::{
    form::Form,
    names,
    palette::{BOLD, Palette, harmless},
    table::{dash, table},
    time,
};

pub(super) fn nodes(nodes: &[Node], form: Form, now: SystemTime, palette: Palette) -> Vec<String> {
    if nodes.is_empty() {
        return vec!["No node has published since the collector started.".to_owned()];
    }
    let rows = nodes.iter().map(|node| overview(node, now));
    let mut lines = if form == Form::Wide {
        let heading = [
            "NODE",
            "STATE",
            "LAST SEEN",
            "VERSION",
            "ATTACHED",
            "SLOTS",
            "SAMPLED",
            "PENDING",
            "CLOCK AHEAD",
            "SPOOL",
            "POLICY",
            "CANARY",
        ];
        table(heading, &rows.collect::<Vec<_>>(), palette)
    } else {
        let rows = rows.map(|row| {
            let [
                node,
                state,
                seen,
                version,
                attached,
                slots,
                sampled,
                pending,
                ..,
            ] = row;
            [
                node, state, seen, version, attached, slots, sampled, pending,
            ]
        });
        let heading = [
            "NODE",
            "STATE",
            "LAST SEEN",
            "VERSION",
            "ATTACHED",
            "SLOTS",
            "SAMPLED",
            "PENDING",
        ];
        table(heading, &rows.collect::<Vec<_>>(), palette)
    };
    for node in nodes {
        if let Some(status) = &node.status {
            lines.extend(details(&node.name, status, form, palette));
        }
    }
    lines
}

fn overview(node: &Node, now: SystemTime) -> [String; 12] {
    let status = |show: &dyn Fn(&NodeStatus) -> String| {
        node.status.as_ref().map_or_else(|| "-".to_owned(), show)
    };
    [
        node.name.clone(),
        if node.connected { "connected" } else { "away" }.to_owned(),
        time::ago(node.last_seen, now),
        node.agent_version.clone(),
        status(&|status| status.attachment.clone()),
        status(&|status| format!("{}/{}", status.slots.len(), status.slots_capacity)),
        status(&|status| format!("1/{}", status.sample_rate)),
        status(&|status| status.events_pending.to_string()),
        node.clock_ahead
            .map_or_else(|| "-".to_owned(), time::seconds),
        status(&|status| dash(spool(status))),
        status(&|status| dash(policy(status))),
        status(&|status| dash(canary(status))),
    ]
}

fn spool(status: &NodeStatus) -> String {
    let spool = status.spool.as_ref();
    spool.map_or_else(String::new, |it| {
        format!("{}/{}", it.bytes, it.capacity_bytes)
    })
}

fn policy(status: &NodeStatus) -> String {
    let policy = status.policy.as_ref();
    policy.map_or_else(String::new, |it| it.revision.chars().take(12).collect())
}

fn canary(status: &NodeStatus) -> String {
    let found = status.canary.as_ref().map(|it| match it.found {
        true => it.delay.map_or_else(|| "found".to_owned(), time::seconds),
        false => "silent".to_owned(),
    });
    found.unwrap_or_default()
}

fn details(node: &str, status: &NodeStatus, form: Form, palette: Palette) -> Vec<String> {
    let mut lines = Vec::new();
    let mut section = |title: &str, body: Vec<String>| {
        lines.push(String::new());
        lines.push(palette.paint(BOLD, &format!("{node}: {title}")));
        lines.extend(body.iter().map(|line| format!("  {line}")));
    };

    if !status.slots.is_empty() {
        let rows = status.slots.iter().map(watched);
        let watched = if form == Form::Wide {
            let heading = [
                "INTERFACE",
                "POD",
                "ADDRESSES",
                "PORTS/MIN",
                "UID",
                "COVERAGE",
            ];
            table(heading, &rows.collect::<Vec<_>>(), palette)
        } else {
            let rows = rows.map(|[interface, pod, addresses, ports, _, coverage]| {
                [interface, pod, addresses, ports, coverage]
            });
            let heading = ["INTERFACE", "POD", "ADDRESSES", "PORTS/MIN", "COVERAGE"];
            table(heading, &rows.collect::<Vec<_>>(), palette)
        };
        section("watched", watched);
    }
    if !status.pods.is_empty() {
        section("pods", pods(status, palette));
    }
    if !status.unwatched.is_empty() {
        let unwatched = status.unwatched.iter();
        let rows: Vec<_> = unwatched
            .map(|entry| [entry.interface.clone(), entry.reason.clone()])
            .collect();
        section(
            "not watched",
            table(["INTERFACE", "REASON"], &rows, palette),
        );
    }
    if let Some(spool) = &status.spool
        && spool.durability() == Durability::Volatile
    {
        let reason = harmless(&spool.reason);
        section("events are kept in memory only", vec![reason]);
    }
    let lost = status.drops.iter().filter(|drop| drop.count > 0);
    let rows: Vec<_> = lost
        .map(|drop| [drop.reason.clone(), drop.count.to_string()])
        .collect();
    if !rows.is_empty() {
        section("lost", table(["REASON", "COUNT"], &rows, palette));
    }
    lines
}

/// How many pods are in which state, and of each that is not attached why.
fn pods(status: &NodeStatus, palette: Palette) -> Vec<String> {
    let of = |state: CoverageState| status.pods.iter().filter(move |it| it.state() == state);
    let counts = [
        (CoverageState::Covered, "covered"),
        (CoverageState::HostNetwork, "in the host's network"),
        (CoverageState::NotAttached, "not attached"),
    ];
    let counts: Vec<_> = counts
        .into_iter()
        .map(|(state, name)| format!("{} {name}", of(state).count()))
        .collect();
    let rows: Vec<_> = of(CoverageState::NotAttached)
        .map(|pod| {
            let name = names::pod(&pod.namespace, &pod.pod).unwrap_or_default();
            [name, pod.reason.clone()]
        })
        .collect();
    let mut lines = vec![counts.join(", ")];
    if !rows.is_empty() {
        lines.extend(table(["NOT ATTACHED", "REASON"], &rows, palette));
    }
    lines
}

fn watched(slot: &Slot) -> [String; 6] {
    let pod = match slot.uplink {
        true => "(the node)".to_owned(),
        false => names::pod(&slot.namespace, &slot.pod).unwrap_or_default(),
    };
    [
        slot.interface.clone(),
        dash(pod),
        dash(slot.addresses.join(",")),
        slot.distinct_ports.to_string(),
        dash(slot.uid.clone()),
        coverage(slot),
    ]
}

/// From here on one probe in eight passes for a reply: it takes three bits.
const CROWDED_PERCENT: u32 = 50;

fn coverage(slot: &Slot) -> String {
    let missed = [
        (slot.records_dropped, "records dropped"),
        (slot.parse_failures, "packets not parsed"),
        (slot.spoofed_packets, "packets spoofed"),
        (slot.contained_packets, "packets contained"),
    ];
    let mut missed: Vec<_> = missed
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if slot.reply_filter_percent >= CROWDED_PERCENT {
        missed.push(format!("reply filter {} % full", slot.reply_filter_percent));
    }
    if slot.one_way {
        missed.push("blind to what comes to it".to_owned());
    }
    if missed.is_empty() {
        "complete".to_owned()
    } else {
        missed.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use api::v1::PodCoverage;

    use super::*;

    #[test]
    fn pods_are_counted_by_state_and_what_is_not_attached_says_why() {
        let pod = |pod: &str, state: CoverageState, reason: &str| PodCoverage {
            namespace: "blue".into(),
            pod: pod.into(),
            state: state.into(),
            reason: reason.into(),
            ..PodCoverage::default()
        };
        let status = NodeStatus {
            pods: vec![
                pod("app1", CoverageState::Covered, ""),
                pod("app2", CoverageState::NotAttached, "all slots are taken"),
                pod("proxy", CoverageState::HostNetwork, ""),
            ],
            ..NodeStatus::default()
        };
        assert_eq!(
            details("node1", &status, Form::Compact, Palette::Plain),
            [
                "",
                "node1: pods",
                "  1 covered, 1 in the host's network, 1 not attached",
                "  NOT ATTACHED  REASON",
                "  blue/app2     all slots are taken",
            ]
        );
    }
}
