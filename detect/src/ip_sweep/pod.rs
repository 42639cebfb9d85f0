//! All that is known of one pod, and when it opens, updates and closes an anomaly.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::{
    group::{Failure, Group},
    thresholds::{PAIRS, Thresholds},
};
use crate::{
    Anomaly, AnomalyId, Criterion, Measure, Severity, Time, Transport, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    hash::hash,
    probes::{Fate, Probes, Service, Step},
    tally::Tally,
    window::HORIZONS,
};

/// Services remembered of one pod; the one that fails on the fewest hosts makes room for another.
const GROUPS: usize = 32;
/// A scan of fewer hosts is one of their ports.
const BLOCK: u32 = 8;
/// From so many pairs on it is high.
const MANY: u64 = 100;

/// A host and what was tried on it.
type Pair = (IpAddr, Service);

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    groups: HashMap<Service, Box<Group>>,
    pairs: Tally<Pair, Failure>,
    /// By the hash of the pair.
    answered: Tally<u64>,
    hosts: Tally<IpAddr>,
    case: Option<Box<Case>>,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            groups: HashMap::new(),
            pairs: Tally::new(PAIRS as usize),
            answered: Tally::new(PAIRS as usize),
            hosts: Tally::new(PAIRS as usize),
            case: None,
        }
    }
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "ip_sweep";

    const WORDS: Words = Words {
        opened: "swept {}",
        updated: "still sweeps {}",
        closed: "stopped sweeping {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for step in seen.steps {
            let Some(new) = self.take_in(step, seen.forgotten) else {
                continue;
            };
            if let Some(case) = &mut self.case {
                case.keep_open(step.at);
                if new {
                    case.add(
                        &sign(step.service, step.address, Failure::of(step), step.at),
                        1,
                    );
                }
                continue;
            }
            let group = self.groups.get(&step.service);
            let crossed = group
                .and_then(|group| group.crossed(step.at, thresholds))
                .or_else(|| self.crossed_pairs(step.at, thresholds));
            if let Some(crossed) = crossed {
                let id = seen.next_id();
                self.case = Some(Box::new(self.open(id, step, crossed)));
            }
        }
        if let Some(case) = &mut self.case
            && case.counted() >= MANY
            && case.severity() == Severity::Medium
        {
            case.rise(Severity::High);
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            *self = Self::default();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let groups = self.groups.values();
        let groups: usize = groups.map(|it| it.heap_bytes() + size_of::<Group>()).sum();
        groups
            + self.groups.allocation_size()
            + self.pairs.heap_bytes()
            + self.answered.heap_bytes()
            + self.hosts.heap_bytes()
            + self.case.as_ref().map_or(0, |case| case.bytes())
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}

impl Pod {
    /// Sorts a step into its group: whether it is the first failure of its host, when it is a failure.
    fn take_in(&mut self, step: &Step, forgotten: &mut u64) -> Option<bool> {
        let (host, service, at) = (step.address, step.service, step.at);
        if is_many(host) || service.transport == Transport::Protocol {
            return None;
        }
        match step.fate {
            Fate::Sent(_) | Fate::Failed { known: true, .. } => None,
            Fate::Answered => {
                self.pairs.remove(&(host, service));
                if service.is_port() && service.transport != Transport::Udp {
                    let pair = hash(&(host, service));
                    self.answered.insert(pair, (), at, forgotten);
                }
                self.group(service, at, forgotten)
                    .answer(host, at, forgotten);
                None
            }
            Fate::Overdue if service.transport == Transport::Udp => None,
            Fate::Overdue => {
                let group = self.group(service, at, forgotten);
                Some(group.delay(host, Failure::of(step), at, forgotten))
            }
            Fate::Failed { .. } => {
                if service.is_port() && service.transport != Transport::Udp {
                    self.answered.remove(&hash(&(host, service)));
                    self.pairs
                        .insert((host, service), Failure::of(step), at, forgotten);
                    self.hosts.insert(host, (), at, forgotten);
                }
                let group = self.group(service, at, forgotten);
                Some(group.fail(host, Failure::of(step), at, forgotten))
            }
        }
    }

    fn group(&mut self, service: Service, at: Time, forgotten: &mut u64) -> &mut Group {
        if self.groups.len() == GROUPS && !self.groups.contains_key(&service) {
            let groups = self.groups.iter();
            let least = groups.map(|(&it, group)| (group.weight(at), it)).min();
            if let Some(((_, failed, _), least)) = least {
                self.groups.remove(&least);
                *forgotten += u64::from(failed);
            }
        }
        let group = self.groups.entry(service).or_default();
        group.touched = group.touched.max(at);
        group
    }

    fn crossed_pairs(&self, at: Time, thresholds: &Thresholds) -> Option<Criterion> {
        let pairs = self.pairs.counts(at)[0];
        let limit = thresholds.failed_pairs_per_minute;
        let answered = self.answered.counts(at)[0];
        let outweigh = pairs >= answered.saturating_add(thresholds.excess_failures);
        (pairs >= limit && outweigh && self.hosts.counts(at)[0] >= BLOCK).then(|| Criterion {
            measure: Measure::FailedPairs,
            counted: pairs.into(),
            threshold: limit.into(),
            window: HORIZONS[0],
        })
    }

    /// Dead collectors of traces look like a sweep over UDP, and who sends over UDP may want no answer.
    fn severity(&self, step: &Step, crossed: Criterion) -> Severity {
        if step.service.transport != Transport::Udp {
            return Severity::Medium;
        }
        let group = self.groups.get(&step.service);
        let failures = group.map_or(0, |group| {
            let failures = group.failures(step.at - crossed.window);
            failures.filter(|(.., failure)| failure.refused).count() as u64
        });
        if failures >= crossed.threshold {
            Severity::Low
        } else {
            Severity::Info
        }
    }

    /// Opens with what failed within the window that was crossed.
    fn open(&self, id: AnomalyId, step: &Step, crossed: Criterion) -> Case {
        let opening = Opening {
            id,
            detector: Self::ID,
            attack_ids: attack_ids(step.service.transport),
            severity: self.severity(step, crossed),
            crossed,
            crossed_at: step.at,
        };
        let start = step.at - crossed.window;
        if crossed.measure == Measure::FailedPairs {
            let pairs = self.pairs.since(start);
            return Case::open(
                opening,
                pairs.map(|((host, service), at, &failure)| sign(service, host, failure, at)),
            );
        }
        let group = self.groups.get(&step.service);
        let failures = group.into_iter().flat_map(|group| group.failures(start));
        Case::open(
            opening,
            failures.map(|(host, at, failure)| sign(step.service, host, failure, at)),
        )
    }
}

fn sign(service: Service, host: IpAddr, failure: Failure, at: Time) -> Sign {
    Sign {
        at,
        passed_at: failure.passed_at,
        target: Some(host),
        port: service.is_port().then_some(service.port),
        failed: true,
        technique: failure.technique,
        sample: None,
    }
}

/// Nobody in particular, so nobody is expected to answer.
const fn is_many(host: IpAddr) -> bool {
    match host {
        IpAddr::V4(host) => host.is_multicast() || host.is_broadcast(),
        IpAddr::V6(host) => host.is_multicast(),
    }
}

/// Who looks for hosts discovers systems; who looks for a service on them discovers services.
const fn attack_ids(transport: Transport) -> &'static [&'static str] {
    match transport {
        Transport::Tcp | Transport::Udp | Transport::Sctp => &["T1046", "T1018"],
        Transport::Icmp | Transport::Protocol | Transport::Neighbour => &["T1018"],
    }
}
