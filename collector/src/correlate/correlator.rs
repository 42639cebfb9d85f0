//! The state machine: sightings in, correlations out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use api::{correlations::COLLECTOR, v1};
use detect::Mode;

use super::{
    case::{Case, Kind},
    crossing::{self, Crossing, window},
    evidence::{Evidence, Group, Piece, dependency, groups},
    metrics::Metrics,
    settings::{LONGEST, Settings},
    sighting::{Reached, Sighting},
    time::Time,
};

/// Correlations that are open at once.
pub(super) const CASES: usize = 256;

/// What crossed a threshold: evidence of these groups.
type Crossed = (Kind, Vec<Group>, Crossing);

/// Correlates events as they are committed.
#[derive(Debug)]
pub(crate) struct Correlator {
    settings: Settings,
    metrics: Metrics,
    evidence: Evidence,
    open: BTreeMap<u64, Case>,
    index: BTreeMap<Group, u64>,
    /// Given to cases as they open.
    serial: u64,
    epoch: u64,
    sequence: u64,
}

impl Correlator {
    pub(crate) fn new(settings: Settings, metrics: Metrics) -> Self {
        Self {
            settings,
            metrics,
            evidence: Evidence::default(),
            open: BTreeMap::new(),
            index: BTreeMap::new(),
            serial: 0,
            epoch: 0,
            sequence: 0,
        }
    }

    /// Begins anew, before what the log holds is replayed: the next event is the one behind `sequence`.
    pub(crate) fn reset(&mut self, epoch: u64, sequence: u64) {
        let (settings, metrics) = (self.settings.clone(), self.metrics.clone());
        *self = Self {
            epoch,
            sequence,
            ..Self::new(settings, metrics)
        };
    }

    /// The next event is the one behind `sequence`.
    pub(crate) const fn resume(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// The id of one more event of this collector, whoever has it raised.
    pub(crate) fn next_id(&mut self) -> v1::EventId {
        self.sequence += 1;
        v1::EventId {
            node: COLLECTOR.into(),
            epoch: self.epoch,
            sequence: self.sequence,
        }
    }

    /// The epoch of its events; 0 before the first reset.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    #[cfg(test)]
    pub(super) const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// How far before an opening, or now, the log has to be replayed.
    pub(crate) fn reach(&self) -> Duration {
        self.settings.longest_window()
    }

    /// Takes in an event of the log again, and raises nothing.
    pub(crate) fn replay(&mut self, event: &v1::Event, now: Time) {
        if event.id.as_ref().is_some_and(|id| id.node == COLLECTOR) {
            self.recall(event);
        } else if let Some(sighting) = Sighting::of(event) {
            self.take_in(&sighting, now);
        }
    }

    /// The anomaly that the event to be committed is part of.
    pub(crate) fn mark(&self, sighting: &Sighting, now: Time) -> Option<&str> {
        if self.open.is_empty() {
            return None;
        }
        let told = |case: &&Case| !case.shadow;
        if let Some(serial) = self.outage(sighting) {
            return self.open.get(&serial).filter(told).map(Case::id);
        }
        let ended = sighting.state == v1::State::Closed;
        let at = sighting.at.min(now);
        let part = |group: &Group, case: &Case| {
            let Some(source) = &sighting.source else {
                return true;
            };
            let joins = || {
                let piece = Piece::of(source, sighting, at);
                let window = window(&self.settings, group);
                self.evidence.scans(group, &piece, window)
            };
            case.has(&source.name) || (!ended && joins())
        };
        let groups = groups(sighting);
        let mut cases = groups
            .iter()
            .filter_map(|group| Some((group, self.open.get(self.index.get(group)?)?)));
        let case = cases.find(|(group, case)| part(group, case) && told(case));
        case.map(|(_, case)| case.id())
    }

    /// Takes in an event that was committed, and tells what follows.
    pub(crate) fn observe(&mut self, sighting: &Sighting, now: Time) -> Vec<v1::Event> {
        let (grown, crossed) = self.take_in(sighting, now);
        let mut events = Vec::with_capacity(grown.len() + crossed.len());
        for serial in grown {
            events.extend(self.raise(serial, v1::State::Updated, now));
        }
        for (kind, groups, crossing) in crossed {
            let opened = self.open(kind, groups, crossing, sighting);
            events.extend(opened.and_then(|it| self.raise(it, v1::State::Opened, now)));
        }
        events
    }

    /// Forgets what is too old to be correlated with anything.
    pub(crate) fn expire(&mut self, now: Time) {
        self.evidence.expire(now);
    }

    /// Whether time alone has ended a correlation.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.open.values().any(|case| self.ends(case, now))
    }

    /// Closes what was quiet for long enough.
    pub(crate) fn close_due(&mut self, now: Time) -> Vec<v1::Event> {
        let ending = self.open.iter().filter(|(_, case)| self.ends(case, now));
        let ending: Vec<_> = ending.map(|(serial, _)| *serial).collect();
        let mut events = Vec::with_capacity(ending.len());
        for serial in ending {
            events.extend(self.raise(serial, v1::State::Closed, now));
            self.close(serial);
        }
        events
    }

    /// So many of its events are in the log now.
    pub(crate) fn committed(&self, raised: u64) {
        self.metrics.raised.inc_by(raised);
        let open = i64::try_from(self.open.len()).unwrap_or(i64::MAX);
        self.metrics.open.set(open);
    }

    /// Takes in a sighting; which correlations have grown by it, and what was crossed.
    fn take_in(&mut self, sighting: &Sighting, now: Time) -> (BTreeSet<u64>, Vec<Crossed>) {
        let at = sighting.at.min(now);
        let mut grown = BTreeSet::new();
        let mut crossed = Vec::new();
        let source = match &sighting.source {
            Some(source) if sighting.state != v1::State::Closed => source,
            _ => {
                self.touch(sighting, at);
                return (grown, crossed);
            }
        };
        let piece = Piece::of(source, sighting, at);
        if let Some(serial) = self.outage(sighting) {
            grown.extend(self.join(serial, &piece, []));
            return (grown, crossed);
        }
        let groups = groups(sighting);
        let outage = dependency(sighting);
        for group in outage.iter().chain(&groups) {
            let forgotten = self.evidence.insert(group, piece.clone());
            // What is open needs no more evidence.
            if !self.index.contains_key(group) {
                self.metrics.forgotten.inc_by(forgotten);
            }
        }
        if let Some(group) = outage
            && !self.index.contains_key(&group)
            && let Some(crossing) = crossing::of(&self.settings, &self.evidence, &group, &piece)
        {
            crossed.push((Kind::DependencyDown, vec![group], crossing));
        }
        let mut targets = Vec::new();
        for group in groups {
            if let Some(&serial) = self.index.get(&group) {
                let window = window(&self.settings, &group);
                if self.evidence.scans(&group, &piece, window) {
                    grown.extend(self.join(serial, &piece, &sighting.targets));
                }
            } else if let Some(crossing) =
                crossing::of(&self.settings, &self.evidence, &group, &piece)
            {
                match group {
                    Group::Target(_) => targets.push((group, crossing)),
                    _ => crossed.push((Kind::WorkloadSweep, vec![group], crossing)),
                }
            }
        }
        if let Some(&(ref first, crossing)) = targets.first() {
            let like = self.of_the_same(first, at);
            let groups: Vec<_> = targets.into_iter().map(|(group, _)| group).collect();
            match like {
                Some(serial) => {
                    self.index
                        .extend(groups.iter().cloned().map(|it| (it, serial)));
                    if let Some(case) = self.open.get_mut(&serial) {
                        case.groups.extend(groups);
                    }
                    grown.extend(self.join(serial, &piece, &sighting.targets));
                }
                None => crossed.push((Kind::DistributedScan, groups, crossing)),
            }
        }
        (grown, crossed)
    }

    /// Adds a source to an open correlation; told when that has grown by a decade.
    fn join<'a>(
        &mut self,
        serial: u64,
        piece: &Piece,
        targets: impl IntoIterator<Item = &'a Reached>,
    ) -> Option<u64> {
        let case = self.open.get_mut(&serial)?;
        let mut forgotten = case.add(piece);
        for reached in targets {
            forgotten += case.reach(reached);
        }
        self.metrics.forgotten.inc_by(forgotten);
        case.has_grown().then_some(serial)
    }

    /// What is part of a correlation keeps it open, though it is no evidence.
    fn touch(&mut self, sighting: &Sighting, at: Time) {
        if sighting.source.is_some() {
            return;
        }
        for group in groups(sighting) {
            let case = self.index.get(&group).and_then(|it| self.open.get_mut(it));
            if let Some(case) = case {
                case.touch(sighting, at);
            }
        }
    }

    /// The distributed scan that at least half of those who scan this target are part of.
    fn of_the_same(&self, target: &Group, at: Time) -> Option<u64> {
        let window = window(&self.settings, target);
        let scanners = self.evidence.judge(target, at, window).scanners;
        let part = |case: &Case| {
            let known = scanners.iter().filter(|it| case.has(&it.source.name));
            2 * known.count() >= scanners.len()
        };
        let mut scans = self
            .open
            .iter()
            .filter(|(_, case)| case.kind == Kind::DistributedScan);
        scans
            .find(|(_, case)| part(case))
            .map(|(serial, _)| *serial)
    }

    fn open(
        &mut self,
        kind: Kind,
        groups: Vec<Group>,
        crossing: Crossing,
        sighting: &Sighting,
    ) -> Option<u64> {
        if self.open.len() >= CASES {
            self.metrics.forgotten.inc();
            return None;
        }
        let id = format!(
            "{COLLECTOR}/{}/{}/{}",
            self.epoch,
            kind.name(),
            self.sequence + 1
        );
        let shadow = self.mode(kind) == Mode::Shadow;
        let mut case = Case::open(kind, id, shadow, crossing);
        case.groups.extend(groups);
        let mut forgotten = 0;
        for piece in self.members(&case) {
            forgotten += case.add(&piece);
        }
        match kind {
            Kind::DependencyDown => {
                let down = sighting
                    .client
                    .as_ref()
                    .and_then(|it| it.dependency.as_ref());
                forgotten += down.map_or(0, |down| case.reach(down));
            }
            Kind::DistributedScan => {
                let scanned =
                    |it: &&Reached| case.groups.contains(&Group::Target(Arc::clone(&it.name)));
                let scanned: Vec<_> = sighting.targets.iter().filter(scanned).collect();
                for reached in scanned {
                    forgotten += case.reach(reached);
                }
            }
            Kind::WorkloadSweep => {
                let source = sighting.source.as_ref();
                if let Some((namespace, workload)) = source.and_then(|it| it.workload.as_ref()) {
                    case.set_source(namespace, workload);
                }
                for reached in &sighting.targets {
                    forgotten += case.reach(reached);
                }
            }
        }
        self.metrics.forgotten.inc_by(forgotten);
        Some(self.keep(case))
    }

    /// Opens again what the log says is open, or closes what it says is closed.
    fn recall(&mut self, event: &v1::Event) {
        let known = self
            .open
            .iter()
            .find(|(_, case)| case.id() == event.anomaly_id);
        let known = known.map(|(serial, _)| *serial);
        match (event.state(), known) {
            (v1::State::Closed, Some(serial)) => self.close(serial),
            (v1::State::Opened | v1::State::Updated, None) => {
                if let Some(mut case) = Case::recall(event) {
                    for piece in self.members(&case) {
                        case.remember(&piece);
                    }
                    self.keep(case);
                }
            }
            // It was taken in with the evidence.
            _ => {}
        }
    }

    /// Who made it open, by the evidence of the window that was crossed.
    fn members(&self, case: &Case) -> Vec<Piece> {
        let mut pieces = BTreeMap::new();
        for group in &case.groups {
            let window = window(&self.settings, group);
            let judged = self.evidence.judge(group, case.crossed_at, window);
            let members = match case.kind {
                Kind::DependencyDown => judged.clients,
                Kind::DistributedScan | Kind::WorkloadSweep => judged.scanners,
            };
            for piece in members {
                pieces.insert(&*piece.source.name, piece);
            }
        }
        pieces.into_values().cloned().collect()
    }

    fn keep(&mut self, mut case: Case) -> u64 {
        // What was told of when it opened has not grown.
        case.has_grown();
        self.serial += 1;
        let groups = case.groups.iter().cloned();
        self.index.extend(groups.map(|group| (group, self.serial)));
        self.open.insert(self.serial, case);
        self.serial
    }

    fn close(&mut self, serial: u64) {
        let case = self.open.remove(&serial);
        for group in case.iter().flat_map(|case| &case.groups) {
            if self.index.get(group) == Some(&serial) {
                self.index.remove(group);
            }
            self.evidence.spend(group);
        }
    }

    fn ends(&self, case: &Case, now: Time) -> bool {
        let quiet = match case.kind {
            Kind::DistributedScan => self.settings.distributed_scan.quiet,
            Kind::WorkloadSweep => self.settings.workload_sweep.quiet,
            Kind::DependencyDown => self.settings.dependency_down.quiet,
        };
        now.since(case.active_at) >= quiet || now.since(case.crossed_at) >= LONGEST
    }

    const fn mode(&self, kind: Kind) -> Mode {
        match kind {
            Kind::DistributedScan => self.settings.distributed_scan.mode,
            Kind::WorkloadSweep => self.settings.workload_sweep.mode,
            Kind::DependencyDown => self.settings.dependency_down.mode,
        }
    }

    /// The open outage that a client is part of: it is towards the same and fails on the same ports.
    fn outage(&self, sighting: &Sighting) -> Option<u64> {
        let client = sighting.client.as_ref()?;
        let serial = *self.index.get(&dependency(sighting)?)?;
        let case = self.open.get(&serial)?;
        case.shares(&client.things).then_some(serial)
    }

    fn raise(&mut self, serial: u64, state: v1::State, now: Time) -> Option<v1::Event> {
        let event = self.open.get(&serial)?.event(state);
        Some(v1::Event {
            id: Some(self.next_id()),
            raised_at: Some(now.into()),
            ..event
        })
    }
}
