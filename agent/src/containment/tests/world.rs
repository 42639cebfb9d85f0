//! A node with pods, a kernel that is a table of leases, and what every step must keep.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    containment::{LONGEST_LEASE, Settings},
    v1::{self, ActionKind, State},
};
use detect::{Anomaly, Detectors, Observation, Subject, Time};

use crate::containment::{Change, Containment, Found, Kept, Order, Refusal, Step, Suspect};

/// A pod behind an interface, as long as the interface is there.
pub(super) struct Behind {
    pub(super) pod: v1::Pod,
    /// It has sent what a scanner sends.
    pub(super) is_guilty: bool,
}

/// What is open: subject and serial, by the agent that opened it.
type Opened = (u64, Option<Subject>, u64);

pub(super) struct World {
    pub(super) now: Time,
    pub(super) boot: String,
    pub(super) pods: BTreeMap<Subject, Behind>,
    pub(super) settings: Settings,
    pub(super) detectors: Detectors,
    pub(super) machine: Containment,
    pub(super) leases: BTreeMap<Subject, Time>,
    kept: Kept,
    epoch: u64,
    open: BTreeSet<Opened>,
    pub(super) contained_at: Vec<Time>,
    /// Holds in vain.
    pub(super) held_at: Vec<(Time, Subject)>,
    pub(super) contained: u64,
    pub(super) ended: u64,
    /// Leases that a person gave are not under the caps.
    commanding: bool,
}

impl World {
    pub(super) fn new(settings: Settings, now: Time) -> Self {
        Self {
            now,
            boot: "first".into(),
            pods: BTreeMap::new(),
            detectors: Detectors::new(detect::Settings::default()),
            machine: Containment::new(settings.clone(), 1),
            settings,
            leases: BTreeMap::new(),
            kept: Kept::default(),
            epoch: 1,
            open: BTreeSet::new(),
            contained_at: Vec::new(),
            held_at: Vec::new(),
            contained: 0,
            ended: 0,
            commanding: false,
        }
    }

    pub(super) fn suspects(&self) -> Vec<Suspect<'_>> {
        let pods = self.pods.iter();
        pods.map(|(subject, behind)| Suspect {
            subject: *subject,
            pod: Some(&behind.pod),
        })
        .collect()
    }

    /// What the programs saw goes the way it goes in the agent.
    pub(super) fn observe(&mut self, observation: &Observation) {
        let mut found = Vec::new();
        self.detectors.observe(observation, self.now, &mut found);
        self.judge(&found);
    }

    fn judge(&mut self, anomalies: &[Anomaly]) {
        for anomaly in anomalies {
            let id = format!("{:?}/{}", anomaly.id, anomaly.detector);
            let subject = anomaly.id.subject;
            let found = Found {
                detector: anomaly.detector,
                state: match anomaly.state {
                    detect::State::Opened => State::Opened,
                    detect::State::Updated => State::Updated,
                    detect::State::Closed => State::Closed,
                },
                shadow: anomaly.shadow,
                is_source: anomaly.role == detect::Role::Source,
                anomaly_id: &id,
                summary: "it did it",
            };
            let pod = self.pods.get(&subject).map(|it| &it.pod);
            let suspect = Suspect { subject, pod };
            let step = self
                .machine
                .found(found, &suspect, self.pods.len(), self.now);
            self.take(step);
        }
    }

    /// To be put back.
    pub(super) fn take_machine(&mut self) -> Containment {
        let empty = Containment::new(self.settings.clone(), 0);
        std::mem::replace(&mut self.machine, empty)
    }

    pub(super) fn review(&mut self) {
        let mut machine = self.take_machine();
        let steps = machine.review(&self.suspects(), self.now);
        self.machine = machine;
        self.take(steps);
        self.keeps_what_it_must();
    }

    pub(super) fn obey(&mut self, order: &Order) -> Result<(), Refusal> {
        let mut machine = self.take_machine();
        let (step, done) = machine.obey(order, &self.suspects(), self.now);
        self.machine = machine;
        self.commanding = true;
        self.take([step]);
        self.commanding = false;
        done
    }

    pub(super) fn set(&mut self, settings: Settings) {
        self.settings = settings.clone();
        let steps = self.machine.set(settings, self.now);
        self.take(steps);
        self.review();
    }

    /// The interface goes, and its slot.
    pub(super) fn remove(&mut self, subject: Subject) {
        self.pods.remove(&subject);
        self.leases.remove(&subject);
        let mut found = Vec::new();
        self.detectors.remove(subject, &mut found);
        self.judge(&found);
    }

    /// The agent dies, and another one starts after a while; the kernel goes on, unless it starts anew too. Its file may
    /// be cut off.
    pub(super) fn restart(&mut self, away: std::time::Duration, reboots: bool, is_cut: bool) {
        self.now = self.now + away;
        self.epoch += 1;
        if reboots {
            self.boot.push('+');
            self.leases.clear();
            self.now = Time::default() + away;
            self.contained_at.clear();
        }
        self.held_at.clear();
        self.detectors = Detectors::new(detect::Settings::default());
        self.machine = Containment::new(self.settings.clone(), self.epoch);
        let mut kept = serde_json::to_string(&self.kept).unwrap_or_default();
        if is_cut {
            kept.truncate(kept.len() / 2);
            // Nobody knows any more what was opened, and how often of late.
            self.ended += self.open.len() as u64;
            self.open.clear();
            self.contained_at.clear();
        }
        let kept = serde_json::from_str(&kept).unwrap_or_default();
        let steps = self.machine.adopt(kept, &self.boot, &self.leases, self.now);
        self.take(steps);
        self.review();
    }

    pub(super) fn take(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            self.check(&step);
            if let Some(subject) = step.subject {
                match step.change {
                    Change::Nothing => {}
                    Change::Contain(until) => {
                        self.leases.insert(subject, until);
                    }
                    Change::Release => {
                        self.leases.remove(&subject);
                    }
                }
            }
        }
        self.kept = self.machine.kept(&self.boot);
    }

    fn check(&mut self, step: &Step) {
        if let (Change::Contain(until), Some(subject)) = (step.change, step.subject) {
            let behind = &self.pods[&subject];
            let protection = self.settings.protection(&behind.pod);
            assert_eq!(protection, None, "protected: {:?}", behind.pod);
            assert!(!behind.pod.uid.is_empty() && behind.pod.ended_at.is_none());
            assert!(until > self.now && until.since(self.now) <= LONGEST_LEASE);
            assert!(
                self.commanding || behind.is_guilty,
                "it did nothing: {:?}",
                behind.pod
            );
        }
        let Some(told) = &step.told else {
            assert_eq!(step.change, Change::Nothing, "untold: {step:?}");
            return;
        };
        let key = (told.opened_by, step.subject, told.serial);
        match (told.kind, told.state) {
            (ActionKind::Contained, State::Opened) => {
                self.contained += 1;
                assert!(self.open.insert(key), "opened twice: {step:?}");
                if !self.commanding && step.change != Change::Nothing {
                    self.within_caps(&told.namespace);
                }
            }
            (ActionKind::Renewed, State::Updated) => assert!(self.open.contains(&key)),
            (ActionKind::Released | ActionKind::Expired, State::Closed) => {
                self.ended += 1;
                assert!(self.open.remove(&key), "closed, not open: {step:?}");
            }
            (ActionKind::Proposed | ActionKind::Refused | ActionKind::Held, State::Opened) => {
                assert_eq!(step.change, Change::Nothing);
            }
            other => panic!("{other:?}"),
        }
    }

    fn within_caps(&mut self, namespace: &str) {
        let minute = std::time::Duration::from_secs(60);
        self.contained_at.push(self.now);
        let recent = self.contained_at.iter();
        let recent = recent.filter(|at| self.now.since(**at) < minute).count();
        let Settings {
            max_share_percent,
            max_per_namespace,
            max_per_minute,
            ..
        } = self.settings;
        assert!(
            recent <= max_per_minute as usize,
            "{recent} within a minute"
        );
        let held: Vec<_> = self.machine.held().collect();
        let share = (self.pods.len() * max_share_percent as usize / 100).max(1);
        assert!(held.len() <= share, "{} held of {share}", held.len());
        let same = held.iter().filter(|it| it.pod()[0] == namespace).count();
        assert!(same <= max_per_namespace as usize, "{same} of {namespace}");
    }

    /// After a review nobody is contained who must not be, and what is open is what is held.
    fn keeps_what_it_must(&self) {
        for (subject, until) in self.leases.iter().filter(|(_, it)| **it > self.now) {
            let behind = &self.pods[subject];
            assert_eq!(self.settings.protection(&behind.pod), None);
            assert!(until.since(self.now) <= LONGEST_LEASE);
        }
        let held: BTreeSet<_> = self.machine.held().map(|it| Some(it.subject())).collect();
        let open: BTreeSet<_> = self.open.iter().map(|(_, subject, _)| *subject).collect();
        assert_eq!(held, open, "an event for every containment and its end");
    }
}
