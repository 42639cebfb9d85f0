//! The agent's own account of what it watches and what it cannot see.

use std::collections::BTreeMap;

use api::{pods::Pods, v1};
use detect::{Count, ParseFailure};

use super::roster::{Interface, Roster, State};
use crate::{
    datapath::{Crossed, Datapath, Report},
    identity::Binder,
    interfaces::CANARY,
    whose::Whose,
};

/// What found no room is added by those who count it.
pub(super) fn status(
    datapath: &Datapath,
    roster: &Roster,
    binder: &Binder,
    pods: &Pods,
) -> v1::NodeStatus {
    let reports: BTreeMap<u32, Report> = datapath
        .reports()
        .map(|report| (report.subject.ifindex, report))
        .collect();
    let mut status = v1::NodeStatus {
        attachment: datapath.attachment().name().to_owned(),
        sample_rate: datapath.sample_rate(),
        slots_capacity: datapath.capacity(),
        ..v1::NodeStatus::default()
    };
    // The canary is nobody's pod.
    for interface in roster.interfaces().filter(|it| it.name != CANARY) {
        match &interface.state {
            State::Watched(subject) => {
                let report = reports.get(&subject.ifindex).copied();
                status
                    .slots
                    .push(slot(interface, report, binder.pod(*subject, pods)));
            }
            State::Unwatched(reason) => status.unwatched.push(v1::Unwatched {
                interface: interface.name.clone(),
                reason: reason.clone(),
            }),
        }
    }
    status.drops = drops(reports.values(), datapath.stray_records());
    status
}

/// What all slots have lost, by reason.
fn drops<'a>(reports: impl Iterator<Item = &'a Report> + Clone, stray: u64) -> Vec<v1::Drop> {
    let total = |count: &dyn Fn(&Report) -> u64| reports.clone().map(count).sum();
    let counts = |count: Count| total(&|report| report.counts[count as usize]);
    let mut drops = vec![
        (
            "records beyond the cap of a slot or their ring".to_owned(),
            counts(Count::RecordsDropped),
        ),
        (
            "payload samples beyond the cap of a slot or their ring buffer".to_owned(),
            counts(Count::SamplesDropped),
        ),
        ("records of interfaces that were gone".to_owned(), stray),
    ];
    for failure in ParseFailure::ALL {
        let count = total(&|report| report.unparsed[failure as usize]);
        drops.push((
            format!("packets that could not be parsed: {}", failure.name()),
            count,
        ));
    }
    let drops = drops.into_iter();
    drops
        .map(|(reason, count)| v1::Drop { reason, count })
        .collect()
}

/// So many packets over TCP have hundreds of acknowledgements, of which one in some tens is seen at least.
const ONE_WAY: u64 = 65_536;

const fn is_one_way(crossed: Crossed) -> bool {
    crossed.tcp_sent >= ONE_WAY && crossed.received == 0
}

fn slot(interface: &Interface, report: Option<Report>, pod: Option<&v1::Pod>) -> v1::Slot {
    let count = |count| report.map_or(0, |report| report.counts[count as usize]);
    v1::Slot {
        interface: interface.name.clone(),
        namespace: pod.map(|pod| pod.namespace.clone()).unwrap_or_default(),
        pod: pod.map(|pod| pod.name.clone()).unwrap_or_default(),
        addresses: interface
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect(),
        distinct_ports: report.map_or(0, |report| report.distinct_ports),
        records_dropped: count(Count::RecordsDropped),
        parse_failures: report.map_or(0, |report| report.unparsed.iter().sum()),
        spoofed_packets: count(Count::Spoofed),
        contained_packets: count(Count::Contained),
        reply_filter_percent: report.map_or(0, |report| report.reply_filter_percent),
        uid: pod.map(|pod| pod.uid.clone()).unwrap_or_default(),
        uplink: interface.whose == Whose::Node,
        one_way: report.is_some_and(|report| is_one_way(report.crossed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_nothing_comes_in_by_is_one_way() {
        for (tcp_sent, received, expected) in [
            (ONE_WAY, 0, true),
            (ONE_WAY - 1, 0, false),
            (10 * ONE_WAY, 1, false),
            (0, 0, false),
        ] {
            let crossed = Crossed { tcp_sent, received };
            assert_eq!(is_one_way(crossed), expected, "{crossed:?}");
        }
    }
}
