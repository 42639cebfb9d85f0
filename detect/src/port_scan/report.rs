//! Sums up what is known of the destinations of a scan.

use crate::{
    Anomaly, Target, Technique, Time,
    case::most_frequent,
    port_set::PortSet,
    probes::{Destination, Destinations, Outcome},
};

/// What came of the probes of all destinations.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) targets: Vec<Target>,
    pub(super) further_targets: u64,
    pub(super) answered: PortSet,
    pub(super) silent: PortSet,
    pub(super) technique: Option<Technique>,
}

impl Report {
    /// Of all that is known since `start`.
    ///
    /// A destination is a target when a port of it failed or more than one was probed: a pod keeps
    /// talking to its services while it scans. When none is, all are.
    pub(super) fn new(destinations: &Destinations, start: Time) -> Self {
        let (mut answered, mut silent) = (PortSet::default(), PortSet::default());
        let mut techniques = [0_u32; Technique::ALL.len()];
        let mut reached = Vec::new();
        for (address, destination) in destinations.iter() {
            let mut target = Target {
                address,
                failed_ports: 0,
                answered_ports: 0,
                sample_ports: Vec::new(),
            };
            let mut ports = 0;
            for (service, probe) in destination.since(start) {
                if !service.is_port() {
                    continue;
                }
                let port = service.port;
                ports += 1;
                target.failed_ports += u32::from(probe.failed());
                match probe.outcome() {
                    Outcome::Answered => {
                        target.answered_ports += 1;
                        answered.insert(port);
                    }
                    Outcome::Silent | Outcome::Unanswered => {
                        silent.insert(port);
                    }
                    Outcome::Refused | Outcome::None => {}
                }
                if let Some(technique) = probe.technique() {
                    techniques[technique as usize] += 1;
                }
            }
            if ports > 0 {
                let suspect = target.failed_ports > 0 || ports > 1;
                reached.push((suspect, target, destination));
            }
        }
        let all = !reached.iter().any(|&(suspect, ..)| suspect);
        reached.retain(|&(suspect, ..)| suspect || all);
        reached.sort_unstable_by_key(|(_, target, _)| {
            (std::cmp::Reverse(target.failed_ports), target.address)
        });
        let further_targets = reached.len().saturating_sub(Anomaly::TARGETS) as u64;
        reached.truncate(Anomaly::TARGETS);
        let targets = reached.into_iter().map(|(_, target, destination)| Target {
            sample_ports: lowest_ports(destination, start),
            ..target
        });
        Self {
            targets: targets.collect(),
            further_targets,
            answered,
            silent,
            technique: most_frequent(&techniques),
        }
    }
}

fn lowest_ports(destination: &Destination, start: Time) -> Vec<u16> {
    let reached = destination.since(start).map(|(service, _)| service);
    let mut ports: Vec<u16> = reached
        .filter(|service| service.is_port())
        .map(|service| service.port)
        .collect();
    if ports.len() > Anomaly::SAMPLE_PORTS {
        ports.select_nth_unstable(Anomaly::SAMPLE_PORTS);
        ports.truncate(Anomaly::SAMPLE_PORTS);
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}
