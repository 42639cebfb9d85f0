//! The life of a correlation: opened, grown by decades, closed after quiet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use api::{
    correlations::{DEPENDENCY_DOWN, DISTRIBUTED_SCAN, WORKLOAD_SWEEP},
    summary, v1,
};

use super::{
    crossing::Crossing,
    evidence::{Group, Piece},
    sighting::{Reached, Sighting, hash, name},
    time::Time,
};

/// Sources that a correlation tells apart.
pub(super) const MEMBERS: usize = 4096;

/// Targets that it remembers.
pub(super) const TARGETS: usize = 256;

/// Targets, ports of each, samples and anomalies that its events name.
const NAMED_TARGETS: usize = 16;
const PORTS: usize = 16;
const SAMPLES: usize = 16;
const ANOMALIES: usize = 64;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    DistributedScan,
    WorkloadSweep,
    DependencyDown,
}

impl Kind {
    const ALL: [Self; 3] = [
        Self::DistributedScan,
        Self::WorkloadSweep,
        Self::DependencyDown,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DistributedScan => DISTRIBUTED_SCAN,
            Self::WorkloadSweep => WORKLOAD_SWEEP,
            Self::DependencyDown => DEPENDENCY_DOWN,
        }
    }

    pub(super) fn group(self, name: Arc<str>) -> Group {
        match self {
            Self::DistributedScan => Group::Target(name),
            Self::WorkloadSweep => Group::Workload(name),
            Self::DependencyDown => Group::Dependency(name),
        }
    }

    const fn severity(self) -> v1::Severity {
        match self {
            Self::DistributedScan | Self::WorkloadSweep => v1::Severity::High,
            Self::DependencyDown => v1::Severity::Info,
        }
    }

    const fn measure(self) -> v1::Measure {
        match self {
            Self::DistributedScan => v1::Measure::Sources,
            Self::WorkloadSweep | Self::DependencyDown => v1::Measure::Pods,
        }
    }
}

/// An open correlation.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) kind: Kind,
    pub(super) crossed_at: Time,
    pub(super) active_at: Time,
    pub(super) shadow: bool,
    /// What it is found by: its targets, its workload, or what is down.
    pub(super) groups: BTreeSet<Group>,
    id: String,
    crossed: v1::Criterion,
    first_seen: Time,
    last_seen: Time,
    source: v1::Endpoint,
    targets: BTreeMap<Arc<str>, v1::Target>,
    further_targets: u64,
    /// Hashes of their names.
    members: BTreeSet<u64>,
    /// Of what is down: what its clients try.
    things: BTreeSet<u64>,
    counted: u64,
    next_decade: u64,
    /// Whether it has opened.
    told: bool,
    samples: BTreeSet<String>,
    anomalies: Vec<String>,
}

impl Case {
    pub(super) fn open(kind: Kind, id: String, shadow: bool, crossing: Crossing) -> Self {
        Self {
            kind,
            crossed_at: crossing.at,
            active_at: crossing.at,
            shadow,
            groups: BTreeSet::new(),
            id,
            crossed: v1::Criterion {
                measure: kind.measure().into(),
                counted: u64::try_from(crossing.counted).unwrap_or(u64::MAX),
                threshold: crossing.threshold.into(),
                window: crossing.window.try_into().ok(),
            },
            first_seen: crossing.at,
            last_seen: Time::default(),
            source: v1::Endpoint::default(),
            targets: BTreeMap::new(),
            further_targets: 0,
            members: BTreeSet::new(),
            things: BTreeSet::new(),
            counted: 0,
            next_decade: 0,
            told: false,
            samples: BTreeSet::new(),
            anomalies: Vec::new(),
        }
    }

    /// The open correlation that an event in the log tells of; its members are unknown.
    pub(super) fn recall(event: &v1::Event) -> Option<Self> {
        let kind = Kind::ALL
            .into_iter()
            .find(|it| it.name() == event.detector)?;
        let crossed_at = event.crossed_at?.into();
        let source = event.source.clone().unwrap_or_default();
        let targets: BTreeMap<_, _> = event
            .targets
            .iter()
            .filter_map(|target| Some((name(target.endpoint.as_ref()?)?, target.clone())))
            .collect();
        let groups = match kind {
            Kind::WorkloadSweep => name(&source).into_iter().map(Group::Workload).collect(),
            _ => targets.keys().cloned().map(|it| kind.group(it)).collect(),
        };
        Some(Self {
            kind,
            crossed_at,
            active_at: crossed_at,
            shadow: event.shadow,
            groups,
            id: event.anomaly_id.clone(),
            crossed: event.crossed?,
            first_seen: event.first_seen?.into(),
            last_seen: event.last_seen?.into(),
            source,
            targets,
            further_targets: event.further_targets,
            members: BTreeSet::new(),
            things: BTreeSet::new(),
            counted: event.counted,
            next_decade: decade_above(event.counted),
            told: true,
            samples: event.samples.iter().cloned().collect(),
            anomalies: event.correlated.clone(),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What scans from it is a workload.
    pub(super) fn set_source(&mut self, namespace: &str, workload: &str) {
        self.source = v1::Endpoint {
            namespace: namespace.into(),
            workload: workload.into(),
            ..Default::default()
        };
    }

    /// Whether the source is known to be part of it.
    pub(super) fn has(&self, source: &str) -> bool {
        self.members.contains(&hash(source))
    }

    /// Takes in a piece of evidence; how much of it found no room.
    pub(super) fn add(&mut self, piece: &Piece) -> u64 {
        self.first_seen = self.first_seen.min(piece.first_seen);
        self.last_seen = self.last_seen.max(piece.last_seen);
        self.active_at = self.active_at.max(piece.at);
        if self.anomalies.len() < ANOMALIES
            && !self.anomalies.iter().any(|it| **it == *piece.anomaly)
        {
            self.anomalies.push(piece.anomaly.as_ref().into());
        }
        if self.has(&piece.source.name) {
            return 0;
        }
        if self.members.len() >= MEMBERS {
            return 1;
        }
        self.members.insert(hash(&*piece.source.name));
        if !self.told {
            self.share(piece);
        }
        self.counted += 1;
        if self.samples.len() < SAMPLES {
            self.samples.insert(piece.source.name.as_ref().into());
        }
        0
    }

    /// Remembers a source that it had counted before a restart.
    pub(super) fn remember(&mut self, piece: &Piece) {
        self.active_at = self.active_at.max(piece.at);
        self.members.insert(hash(&*piece.source.name));
        self.share(piece);
    }

    /// Takes in what was tried; how much of it found no room.
    pub(super) fn reach(&mut self, reached: &Reached) -> u64 {
        let known = self.targets.len();
        if known >= TARGETS && !self.targets.contains_key(&reached.name) {
            self.further_targets += 1;
            return 1;
        }
        let told = &reached.target;
        let target = self.targets.entry(Arc::clone(&reached.name));
        let target = target.or_insert_with(|| v1::Target {
            endpoint: told.endpoint.clone(),
            ..Default::default()
        });
        target.failed_ports = target.failed_ports.max(told.failed_ports);
        target.answered_ports = target.answered_ports.max(told.answered_ports);
        let mut ports: BTreeSet<_> = target.sample_ports.iter().copied().collect();
        for port in told.sample_ports.iter().take(PORTS) {
            if ports.len() < PORTS {
                ports.insert(*port);
            }
        }
        target.sample_ports = ports.into_iter().collect();
        0
    }

    /// Whether a client that tried this is one of its own.
    pub(super) fn shares(&self, things: &[u64]) -> bool {
        2 * things.iter().filter(|it| self.things.contains(it)).count() >= things.len()
    }

    /// Those that open it are the measure of what its clients try.
    fn share(&mut self, piece: &Piece) {
        if self.kind == Kind::DependencyDown {
            self.things
                .extend(piece.things.iter().flat_map(|it| it.iter()));
        }
    }

    /// It still goes on, though with nobody new.
    pub(super) fn touch(&mut self, sighting: &Sighting, at: Time) {
        self.active_at = self.active_at.max(at);
        self.last_seen = self.last_seen.max(sighting.last_seen);
    }

    /// Whether it has grown by a decade since it was last asked.
    pub(super) fn has_grown(&mut self) -> bool {
        self.told = true;
        let grown = self.counted >= self.next_decade;
        self.next_decade = decade_above(self.counted);
        grown
    }

    /// An event of it, but for who raises it and when.
    pub(super) fn event(&self, state: v1::State) -> v1::Event {
        let mut targets: Vec<_> = self.targets.iter().collect();
        targets.sort_by_key(|(name, target)| (std::cmp::Reverse(target.failed_ports), *name));
        let further = targets.len().saturating_sub(NAMED_TARGETS);
        targets.truncate(NAMED_TARGETS);
        let attack_ids = match self.kind {
            Kind::DependencyDown => Vec::new(),
            _ => vec!["T1046".into()],
        };
        let mut event = v1::Event {
            anomaly_id: self.id.clone(),
            state: state.into(),
            detector: self.kind.name().into(),
            severity: self.kind.severity().into(),
            crossed_at: Some(self.crossed_at.into()),
            first_seen: Some(self.first_seen.into()),
            last_seen: Some(self.last_seen.max(self.first_seen).into()),
            source: Some(self.source.clone()),
            targets: targets
                .into_iter()
                .map(|(_, target)| target.clone())
                .collect(),
            further_targets: self.further_targets + u64::try_from(further).unwrap_or(u64::MAX),
            crossed: Some(self.crossed),
            shadow: self.shadow,
            counted: self.counted,
            samples: self.samples.iter().cloned().collect(),
            correlated: self.anomalies.clone(),
            attack_ids,
            ..Default::default()
        };
        event.summary = summary::summarize(&event);
        event
    }
}

/// The lowest power of ten above `count`, from ten on.
fn decade_above(count: u64) -> u64 {
    let mut decade: u64 = 10;
    while decade <= count {
        decade = decade.saturating_mul(10);
    }
    decade
}
