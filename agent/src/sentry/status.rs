//! The agent's own account of what it watches and what it cannot see.

use std::collections::BTreeMap;

use api::{pods::Pods, v1};

use super::roster::{Interface, Roster, State};
use crate::datapath::{Datapath, Report};

/// What found no room is added by those who count it.
pub(super) fn status(datapath: &Datapath, roster: &Roster, pods: &Pods) -> v1::NodeStatus {
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
    for interface in roster.interfaces() {
        match &interface.state {
            State::Watched(subject) => {
                let report = reports.get(&subject.ifindex).copied();
                status.slots.push(slot(interface, report, pods));
            }
            State::Unwatched(reason) => status.unwatched.push(v1::Unwatched {
                interface: interface.name.clone(),
                reason: reason.clone(),
            }),
        }
    }
    let records = status.slots.iter().map(|slot| slot.records_dropped).sum();
    let failures = status.slots.iter().map(|slot| slot.parse_failures).sum();
    for (reason, count) in [
        (
            "records beyond the cap of a slot or the ring buffer",
            records,
        ),
        ("packets that could not be parsed", failures),
        (
            "records of interfaces that were gone",
            datapath.stray_records(),
        ),
    ] {
        status.drops.push(v1::Drop {
            reason: reason.to_owned(),
            count,
        });
    }
    status
}

fn slot(interface: &Interface, report: Option<Report>, pods: &Pods) -> v1::Slot {
    let pod = interface
        .addresses
        .iter()
        .find_map(|address| pods.by_address(*address));
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
        records_dropped: report.map_or(0, |report| report.records_dropped),
        parse_failures: report.map_or(0, |report| report.parse_failures),
    }
}
