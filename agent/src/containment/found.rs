//! What follows from what a detector found.

use std::time::Duration;

use api::{
    containment::{LONGEST_LEASE, Mode},
    v1::{self, ActionKind, State},
};
use detect::Time;

use super::{Change, Containment, Refusal, Step, Suspect, about::About, workload_of};

/// One replica of a workload is contained in this time: when several probe at once, what they all need is
/// more likely down than all of them taken. The first stays contained, or an attacker in two of them would
/// set both free by probing with both; it keeps what it used before.
const STORM: Duration = Duration::from_secs(10 * 60);
const MINUTE: Duration = Duration::from_secs(60);
/// Whoever is contained again within this time is for twice as long; whoever was released by a person is
/// not contained again.
const RESPITE: Duration = Duration::from_secs(60 * 60);
/// Renewed when less than this part of the lease is left.
const LEFT: u32 = 4;

/// What a detector found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Which detector.
    pub detector: &'a str,
    /// Which step of the anomaly.
    pub state: State,
    /// The detector is tried out.
    pub shadow: bool,
    /// The pod does it; otherwise it is done to it, and nobody knows by whom.
    pub is_source: bool,
    /// Of the anomaly.
    pub anomaly_id: &'a str,
    /// What it did, for people.
    pub summary: &'a str,
}

impl Containment {
    /// What to do about what was found of the traffic of a watched interface; `watched` interfaces are of
    /// known pods.
    ///
    /// It is the sender that is contained, whatever its packets say who sent them. What is done to a pod
    /// contains nobody.
    pub fn found(
        &mut self,
        found: Found<'_>,
        suspect: &Suspect<'_>,
        watched: usize,
        now: Time,
    ) -> Option<Step> {
        if found.state == State::Closed {
            self.close(found.anomaly_id);
            return None;
        }
        let mut detectors = self.settings.detectors.iter();
        if self.settings.mode == Mode::Off
            || found.shadow
            || !found.is_source
            || !detectors.any(|it| it == found.detector)
        {
            return None;
        }
        if let Some(held) = self.held.get_mut(&suspect.subject) {
            if held.is_own() {
                self.open.remove(&held.anomaly_id);
                found.anomaly_id.clone_into(&mut held.anomaly_id);
                self.open.insert(found.anomaly_id.to_owned());
            }
            return None;
        }
        let about = About {
            subject: Some(suspect.subject),
            pod: suspect.pod,
            anomaly_id: found.anomaly_id,
            reason: found.summary,
            ..About::default()
        };
        match self.may_contain(suspect, watched, now) {
            Err(refusal) => Some(self.refuse(&about, &refusal, now)),
            Ok(pod) => Some(self.contain(&found, suspect, pod, now)),
        }
    }

    /// The anomaly is over, or nobody minds it any more: no lease goes on for it.
    pub fn close(&mut self, anomaly_id: &str) {
        self.open.remove(anomaly_id);
    }

    /// The pod, when nothing stands against containing it.
    pub(super) fn may_contain<'a>(
        &self,
        suspect: &Suspect<'a>,
        watched: usize,
        now: Time,
    ) -> Result<&'a v1::Pod, Refusal> {
        if self.settings.mode != Mode::Act {
            self.may_touch(suspect.pod.ok_or(Refusal::Unknown)?)?;
            return Err(Refusal::Propose);
        }
        let pod = suspect.known().ok_or(Refusal::Unknown)?;
        self.may_touch(pod)?;
        let past = self.past.get(&pod.uid);
        if let Some(past) = past.filter(|it| !it.released_by.is_empty())
            && now.since(Time::from_nanoseconds(past.ended_ns)) < RESPITE
        {
            return Err(Refusal::Respite(past.released_by.clone()));
        }
        let workload = workload_of(pod);
        let before = self.workloads.get(&workload);
        if before.is_some_and(|(at, uid)| is_storm(*at, now) && *uid != pod.uid) {
            return Err(Refusal::Storm(workload));
        }
        let cap = self.settings.max_per_minute;
        if self.contained_of_late(now) >= cap as usize {
            return Err(Refusal::Rate(cap));
        }
        if self.room_of(&pod.namespace) == 0 {
            return Err(Refusal::Namespace(self.settings.max_per_namespace));
        }
        let cap = self.share(watched);
        if self.held.len() >= cap {
            return Err(Refusal::Share(cap));
        }
        Ok(pod)
    }

    /// How many pods the agent contained of its own within the last minute.
    pub(super) fn contained_of_late(&self, now: Time) -> usize {
        let recent = self.recent.iter();
        recent.filter(|at| now.since(**at) < MINUTE).count()
    }

    /// How many more pods of the namespace may be contained.
    pub(super) fn room_of(&self, namespace: &str) -> usize {
        let held = self.held.values();
        let same = held.filter(|it| it.namespace == namespace).count();
        (self.settings.max_per_namespace as usize).saturating_sub(same)
    }

    /// How many pods of the node may be.
    pub(super) fn share(&self, watched: usize) -> usize {
        (watched * self.settings.max_share_percent as usize / 100).max(1)
    }

    /// What stands against containing a pod, whoever wants it.
    pub(super) fn may_touch(&self, pod: &v1::Pod) -> Result<(), Refusal> {
        if pod.ended_at.is_some() {
            return Err(Refusal::Ended);
        }
        match self.settings.protection(pod) {
            Some(why) => Err(Refusal::Protected(why)),
            None => Ok(()),
        }
    }

    fn contain(
        &mut self,
        found: &Found<'_>,
        suspect: &Suspect<'_>,
        pod: &v1::Pod,
        now: Time,
    ) -> Step {
        let past = self.past.get(&pod.uid);
        let again = past.filter(|it| now.since(Time::from_nanoseconds(it.ended_ns)) < RESPITE);
        let times = again.map_or(0, |it| it.times);
        if times == 0 {
            self.past.remove(&pod.uid);
        }
        let factor = 2_u32.saturating_pow(times);
        let lease = self
            .settings
            .lease
            .saturating_mul(factor)
            .min(LONGEST_LEASE);
        self.workloads.retain(|_, (at, _)| is_storm(*at, now));
        self.recent.retain(|at| now.since(*at) < MINUTE);
        self.recent.push_back(now);
        self.open.insert(found.anomaly_id.to_owned());
        let held = self.begin(suspect.subject, pod, lease, now);
        found.anomaly_id.clone_into(&mut held.anomaly_id);
        found.summary.clone_into(&mut held.reason);
        let told = (ActionKind::Contained, State::Opened);
        let step = Step::of(held, Change::Contain(held.until()), told, found.summary);
        let workload = held.workload.clone();
        self.workloads
            .insert(workload, (now.nanoseconds(), pod.uid.clone()));
        step
    }

    /// Makes a lease longer while what it was given for goes on, up to the longest one there is.
    pub(super) fn renew(&mut self, subject: detect::Subject, now: Time) -> Option<Step> {
        let held = self.held.get_mut(&subject)?;
        let left = held.until().since(now);
        if !held.is_own() || !self.open.contains(&held.anomaly_id) || left > held.lease() / LEFT {
            return None;
        }
        let until = (now + held.lease()).min(held.since() + LONGEST_LEASE);
        if until <= held.until() {
            return None;
        }
        held.until_ns = until.nanoseconds();
        let told = (ActionKind::Renewed, State::Updated);
        let reason = format!("it goes on: {}", held.reason);
        Some(Step::of(held, Change::Contain(until), told, &reason))
    }
}

const fn is_storm(at_ns: u64, now: Time) -> bool {
    now.since(Time::from_nanoseconds(at_ns)).as_nanos() < STORM.as_nanos()
}
