//! Which pods are contained, and for how long: a state machine without a clock, that touches nothing.
//!
//! What it decides is for the caller to do: [`Step`] says what becomes of a slot, and what is told. What it
//! is told of a pod is a [`Suspect`], made for each question, since who is behind an interface may be known
//! better by then.

mod about;
mod found;
mod held;
mod holds;
mod obey;
mod refusal;
mod review;
mod step;
mod store;
mod vain;
mod voice;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use api::{
    containment::{Mode, Settings},
    v1::{self, ActionKind, State},
    workload,
};
use detect::{Subject, Time};

pub use self::{
    found::Found,
    held::{Held, Kept},
    holds::Armed,
    obey::{Deed, Order},
    refusal::Refusal,
    step::{Change, Step, Told},
    store::{Store, StoreError},
};
use self::{
    held::{Past, remember},
    vain::Vain,
    voice::Voices,
};

/// Why a lease is over that did not end.
const NOT_HELD: &str = "its interface went while no agent ran, or this agent cannot read what one of another \
                        version kept of it in the kernel";

/// A watched interface, and what is known of the pod behind it.
#[derive(Clone, Copy, Debug)]
pub struct Suspect<'a> {
    /// The interface.
    pub subject: Subject,
    /// None when nobody knows; of no use without a uid.
    pub pod: Option<&'a v1::Pod>,
}

impl<'a> Suspect<'a> {
    /// The pod, when it is known for sure.
    fn known(&self) -> Option<&'a v1::Pod> {
        self.pod.filter(|pod| !pod.uid.is_empty())
    }
}

/// The state machine.
#[derive(Debug)]
pub struct Containment {
    settings: Settings,
    /// The agent's; tells its serials from those of agents before it.
    epoch: u64,
    serial: u64,
    held: BTreeMap<Subject, Held>,
    past: BTreeMap<String, Past>,
    /// Anomalies that contained pods have open.
    open: BTreeSet<String>,
    /// When the agent contained of its own, within the last minute.
    recent: VecDeque<Time>,
    /// Of which workload a replica was contained of late, when, and which one.
    workloads: BTreeMap<String, (u64, String)>,
    signers: BTreeMap<String, u64>,
    vain: Vain,
    voices: Voices,
}

impl Containment {
    /// One that holds nothing.
    #[must_use]
    pub fn new(settings: Settings, epoch: u64) -> Self {
        Self {
            settings,
            epoch,
            serial: 0,
            held: BTreeMap::new(),
            past: BTreeMap::new(),
            open: BTreeSet::new(),
            recent: VecDeque::new(),
            workloads: BTreeMap::new(),
            signers: BTreeMap::new(),
            vain: Vain::default(),
            voices: Voices::default(),
        }
    }

    /// How it is set.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is contained, by subject.
    pub fn held(&self) -> impl Iterator<Item = &Held> {
        self.held.values()
    }

    /// Whether nothing is.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.held.is_empty()
    }

    /// What should outlive the agent, of this boot.
    #[must_use]
    pub fn kept(&self, boot: &str) -> Kept {
        Kept {
            boot: boot.to_owned(),
            held: self.held.values().cloned().collect(),
            past: self.past.clone(),
            recent_ns: self.recent.iter().map(|at| at.nanoseconds()).collect(),
            workloads: self.workloads.clone(),
            signers: self.signers.clone(),
        }
    }

    /// Takes over from an agent before this one: what it kept, and the leases that are in the kernel.
    ///
    /// Where both say different things the kernel is right. What is contained and of which nothing is kept
    /// was contained by an agent all the same. What is kept of another boot has ended with it.
    pub fn adopt(
        &mut self,
        kept: Kept,
        boot: &str,
        leases: &BTreeMap<Subject, Time>,
        now: Time,
    ) -> Vec<Step> {
        self.signers = kept.signers;
        let same = kept.boot == boot;
        if same {
            self.past = kept.past;
            self.workloads = kept.workloads;
            let recent = kept.recent_ns.into_iter();
            self.recent = recent.map(Time::from_nanoseconds).collect();
        }
        let mut steps = Vec::new();
        for mut held in kept.held {
            match leases.get(&held.subject()).filter(|_| same) {
                Some(until) if *until > now => {
                    held.until_ns = until.nanoseconds();
                    self.held.insert(held.subject(), held);
                }
                lease => {
                    let is_let_go = lease.is_none() && held.until() > now;
                    let (kind, reason) = match (same, is_let_go) {
                        (false, _) => (ActionKind::Expired, "the lease ended with the boot"),
                        (true, false) => {
                            (ActionKind::Expired, "the lease ended while no agent ran")
                        }
                        // Nothing in the kernel holds it any more.
                        (true, true) => (ActionKind::Released, NOT_HELD),
                    };
                    let told = (kind, State::Closed);
                    let mut step = Step::of(&held, Change::Nothing, told, reason);
                    if !same {
                        // Its times are of another clock.
                        step.told.iter_mut().for_each(|told| told.since = now);
                    }
                    steps.push(step);
                }
            }
        }
        for (&subject, &until) in leases {
            if until > now && !self.held.contains_key(&subject) {
                let held = self.stray(subject, until, now);
                let told = (ActionKind::Contained, State::Opened);
                steps.push(Step::of(&held, Change::Nothing, told, &held.reason));
                self.held.insert(subject, held);
            }
        }
        steps
    }

    /// Judges by these settings from now on; what the agent contained of its own ends unless it may act.
    pub fn set(&mut self, settings: Settings, now: Time) -> Vec<Step> {
        let before = std::mem::replace(&mut self.settings, settings);
        let mode = self.settings.mode;
        if before.mode == mode || mode == Mode::Act {
            return Vec::new();
        }
        let own: Vec<_> = self.held.values().filter(|it| it.is_own()).collect();
        let own: Vec<_> = own.into_iter().map(Held::subject).collect();
        let reason = format!("containment is set to {mode}");
        let ended = own.into_iter();
        ended
            .filter_map(|subject| self.end(subject, ActionKind::Released, &reason, "", now))
            .collect()
    }

    /// The interface is gone, and its slot with it.
    pub fn gone(&mut self, subject: Subject, now: Time) -> Option<Step> {
        let mut step = self.end(
            subject,
            ActionKind::Released,
            "its interface is gone",
            "",
            now,
        )?;
        step.change = Change::Nothing;
        Some(step)
    }

    fn stray(&mut self, subject: Subject, until: Time, now: Time) -> Held {
        self.serial += 1;
        Held {
            ifindex: subject.ifindex,
            epoch: subject.epoch,
            serial: self.serial,
            opened_by: self.epoch,
            namespace: String::new(),
            pod: String::new(),
            uid: String::new(),
            workload: String::new(),
            since_ns: now.nanoseconds(),
            until_ns: until.nanoseconds(),
            lease_ns: 0,
            by: String::new(),
            command_id: String::new(),
            anomaly_id: String::new(),
            reason: "an agent before this one contained it, and kept no record of why".into(),
        }
    }

    /// Begins a containment; nothing may stand against it any more.
    fn begin(&mut self, subject: Subject, pod: &v1::Pod, lease: Duration, now: Time) -> &mut Held {
        self.serial += 1;
        let held = Held {
            ifindex: subject.ifindex,
            epoch: subject.epoch,
            serial: self.serial,
            opened_by: self.epoch,
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            uid: pod.uid.clone(),
            workload: workload_of(pod),
            since_ns: now.nanoseconds(),
            until_ns: (now + lease).nanoseconds(),
            lease_ns: (Time::default() + lease).nanoseconds(),
            by: String::new(),
            command_id: String::new(),
            anomaly_id: String::new(),
            reason: String::new(),
        };
        let entry = self.held.entry(subject);
        entry.insert_entry(held).into_mut()
    }

    fn end(
        &mut self,
        subject: Subject,
        kind: ActionKind,
        reason: &str,
        by: &str,
        now: Time,
    ) -> Option<Step> {
        let held = self.held.remove(&subject)?;
        self.open.remove(&held.anomaly_id);
        if !held.uid.is_empty() {
            remember(&mut self.past, &held, by, now);
        }
        let mut step = Step::of(&held, Change::Release, (kind, State::Closed), reason);
        if let Some(told) = &mut step.told {
            by.clone_into(&mut told.by);
            told.command_id.clear();
        }
        Some(step)
    }
}

/// The workload of a pod, which replicas share.
fn workload_of(pod: &v1::Pod) -> String {
    match &pod.owner {
        Some(owner) => format!("{}/{}/{}", pod.namespace, owner.kind, owner.name),
        None => format!("{}/{}", pod.namespace, workload::of_pod(&pod.name)),
    }
}

#[cfg(test)]
mod tests;
