//! The life of an anomaly that counts distinct things: opened, grown by decades, closed after quiet.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use hashbrown::HashMap;

use crate::{
    Anomaly, AnomalyId, Coverage, Criterion, Observation, PortCounts, Role, Severity, State,
    Target, Technique, Time, probes::Probes,
};

/// Targets an anomaly remembers; of those beyond it only the number is known.
const TARGETS: usize = 1024;

/// A piece of evidence: one thing counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sign {
    /// When it was known.
    pub(crate) at: Time,
    /// When the packet passed that shows it.
    pub(crate) passed_at: Time,
    /// Whom it concerns.
    pub(crate) target: Option<IpAddr>,
    /// Which port of them, if any.
    pub(crate) port: Option<u16>,
    /// Whether a probe failed.
    pub(crate) failed: bool,
    /// How it was probed.
    pub(crate) technique: Option<Technique>,
    /// What it is, for people.
    pub(crate) sample: Option<String>,
}

/// An open anomaly, and what was counted over its life.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    id: AnomalyId,
    detector: &'static str,
    attack_ids: &'static [&'static str],
    severity: Severity,
    crossed: Criterion,
    crossed_at: Time,
    first_seen: Time,
    last_seen: Time,
    active_at: Time,
    counted: u64,
    next_decade: u64,
    targets: HashMap<IpAddr, Reached>,
    further_targets: u64,
    techniques: [u32; Technique::ALL.len()],
    samples: BTreeSet<String>,
    coverage: Coverage,
    told: bool,
    risen: bool,
    role: Role,
}

/// How often a target was probed, and on which ports.
#[derive(Clone, Debug, Default)]
struct Reached {
    failed: u32,
    answered: u32,
    ports: BTreeSet<u16>,
}

/// What opens an anomaly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) id: AnomalyId,
    pub(crate) detector: &'static str,
    pub(crate) attack_ids: &'static [&'static str],
    pub(crate) severity: Severity,
    pub(crate) crossed: Criterion,
    pub(crate) crossed_at: Time,
}

impl Case {
    /// Opens with the evidence of the window that was crossed.
    pub(crate) fn open(opening: Opening, evidence: impl IntoIterator<Item = Sign>) -> Self {
        let mut case = Self {
            id: opening.id,
            detector: opening.detector,
            attack_ids: opening.attack_ids,
            severity: opening.severity,
            crossed: opening.crossed,
            crossed_at: opening.crossed_at,
            first_seen: opening.crossed_at,
            last_seen: Time::default(),
            active_at: opening.crossed_at,
            counted: 0,
            next_decade: 0,
            targets: HashMap::new(),
            further_targets: 0,
            techniques: [0; Technique::ALL.len()],
            samples: BTreeSet::new(),
            coverage: Coverage::default(),
            told: false,
            risen: false,
            role: Role::Source,
        };
        let mut evidence: Vec<_> = evidence.into_iter().collect();
        evidence.sort_unstable_by(|a, b| {
            let key = |it: &Sign| (it.passed_at, it.target, it.port);
            key(a).cmp(&key(b)).then_with(|| a.sample.cmp(&b.sample))
        });
        for sign in &evidence {
            case.add(sign, 1);
        }
        case.last_seen = case.last_seen.max(case.first_seen);
        case.next_decade = decade_above(case.counted * 2);
        case
    }

    /// It is done to the pod.
    pub(crate) const fn against_pod(mut self) -> Self {
        self.role = Role::Target;
        self
    }

    /// Says what there is to say of it as a whole, in place of samples.
    pub(crate) fn describe(&mut self, samples: impl IntoIterator<Item = String>) {
        self.samples = samples.into_iter().take(Anomaly::SAMPLES).collect();
    }

    /// Takes in evidence that is new, and stands for so many things counted.
    pub(crate) fn add(&mut self, sign: &Sign, counted: u64) {
        self.counted += counted;
        self.first_seen = self.first_seen.min(sign.passed_at);
        self.last_seen = self.last_seen.max(sign.passed_at);
        self.active_at = self.active_at.max(sign.at);
        if let Some(technique) = sign.technique {
            self.techniques[technique as usize] += 1;
        }
        if let Some(sample) = &sign.sample
            && self.samples.len() < Anomaly::SAMPLES
        {
            self.samples.insert(sample.clone());
        }
        let Some(address) = sign.target else {
            return;
        };
        if self.targets.len() == TARGETS && !self.targets.contains_key(&address) {
            self.further_targets += 1;
            return;
        }
        let reached = self.targets.entry(address).or_default();
        if let Some(port) = sign.port {
            reached.failed += u32::from(sign.failed);
            reached.answered += u32::from(!sign.failed);
            if reached.ports.len() < Anomaly::SAMPLE_PORTS {
                reached.ports.insert(port);
            }
        }
    }

    pub(crate) const fn counted(&self) -> u64 {
        self.counted
    }

    pub(crate) const fn severity(&self) -> Severity {
        self.severity
    }

    /// What it is about still goes on, though there is nothing new.
    pub(crate) fn keep_open(&mut self, at: Time) {
        self.active_at = self.active_at.max(at);
    }

    /// Makes it as bad as that, if it is not yet.
    pub(crate) fn rise(&mut self, severity: Severity) {
        self.risen |= severity > self.severity;
        self.severity = self.severity.max(severity);
    }

    /// What the observation as a whole says of it; the next step of its life, if there is one.
    pub(crate) fn step(
        &mut self,
        observation: &Observation,
        forgotten: u64,
        now: Time,
        quiet: Duration,
    ) -> Option<State> {
        self.coverage.take_in(observation, forgotten);
        let risen = std::mem::take(&mut self.risen);
        let grown = self.counted >= self.next_decade || risen;
        if self.counted >= self.next_decade {
            self.next_decade = decade_above(self.counted);
        }
        if !std::mem::replace(&mut self.told, true) {
            return Some(State::Opened);
        }
        if now.since(self.active_at) >= quiet {
            return Some(State::Closed);
        }
        grown.then_some(State::Updated)
    }

    /// Bytes it takes at most, what is in its samples not counted.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        let ports = self.targets.len() * 48;
        size_of::<Self>() + self.targets.allocation_size() + ports
    }

    pub(crate) fn anomaly(&self, state: State, pod: Option<IpAddr>) -> Anomaly {
        let mut targets: Vec<_> = self.targets.iter().collect();
        targets.sort_unstable_by_key(|(address, reached)| {
            (std::cmp::Reverse(reached.failed), **address)
        });
        let further = targets.len().saturating_sub(Anomaly::TARGETS) as u64;
        targets.truncate(Anomaly::TARGETS);
        let targets = targets.into_iter().map(|(&address, reached)| Target {
            address,
            failed_ports: reached.failed,
            answered_ports: reached.answered,
            sample_ports: reached.ports.iter().copied().collect(),
        });
        Anomaly {
            id: self.id,
            state,
            detector: self.detector,
            severity: self.severity,
            shadow: false,
            crossed: self.crossed,
            crossed_at: self.crossed_at,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            pod,
            role: self.role,
            targets: targets.collect(),
            further_targets: further + self.further_targets,
            counted: self.counted,
            ports: PortCounts::default(),
            port_sets: None,
            technique: most_frequent(&self.techniques),
            samples: self.samples.iter().cloned().collect(),
            attack_ids: self.attack_ids,
            withheld: 0,
            coverage: self.coverage,
        }
    }
}

/// Ends what is open, before its time.
pub(crate) fn close(case: &mut Option<Box<Case>>, probes: &Probes, found: &mut Vec<Anomaly>) {
    let case = case.take();
    found.extend(case.map(|case| case.anomaly(State::Closed, probes.pod)));
}

/// The technique counted most often, of several the first in their order.
pub(crate) fn most_frequent(counts: &[u32; Technique::ALL.len()]) -> Option<Technique> {
    let counts = Technique::ALL.into_iter().rev().zip(counts.iter().rev());
    counts
        .max_by_key(|&(_, count)| count)
        .filter(|&(_, &count)| count > 0)
        .map(|(technique, _)| technique)
}

/// The lowest power of ten above `count`, from ten on.
pub(crate) fn decade_above(count: u64) -> u64 {
    let mut decade = 10;
    while decade <= count {
        decade *= 10;
    }
    decade
}
