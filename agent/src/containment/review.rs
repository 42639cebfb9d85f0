//! What time and the cluster change about what is contained.

use std::collections::BTreeMap;

use api::v1::ActionKind;
use detect::{Subject, Time};

use super::{Containment, Held, Step, Suspect, workload_of};

impl Containment {
    /// Ends what is over, or was never meant for who is behind an interface now, and renews what goes on.
    pub fn review(&mut self, suspects: &[Suspect<'_>], now: Time) -> Vec<Step> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let by_subject: BTreeMap<_, _> = suspects.iter().map(|it| (it.subject, it)).collect();
        let subjects: Vec<_> = self.held.keys().copied().collect();
        let steps = subjects
            .into_iter()
            .filter_map(|subject| match by_subject.get(&subject) {
                None => self.gone(subject, now),
                Some(suspect) => match self.over(subject, suspect, now) {
                    Some((kind, reason)) => self.end(subject, kind, &reason, "", now),
                    None => self.renew(subject, now),
                },
            });
        steps.collect()
    }

    /// Why it is to end now, if it is.
    fn over(
        &mut self,
        subject: Subject,
        suspect: &Suspect<'_>,
        now: Time,
    ) -> Option<(ActionKind, String)> {
        let held = self.held.get_mut(&subject)?;
        if held.until() <= now {
            return Some((ActionKind::Expired, "the lease is over".into()));
        }
        let pod = suspect.known()?;
        if held.uid.is_empty() {
            name(held, pod);
        }
        let released = |reason: String| Some((ActionKind::Released, reason));
        if held.uid != pod.uid {
            return released("the interface is of another pod by now".into());
        }
        if pod.ended_at.is_some() {
            return released("the pod has ended".into());
        }
        let why = self.settings.protection(pod)?;
        released(format!("nobody may contain it: {why}"))
    }
}

/// What an agent before this one contained gets the name of the first pod that is known behind it.
pub(super) fn name(held: &mut Held, pod: &api::v1::Pod) {
    pod.namespace.clone_into(&mut held.namespace);
    pod.name.clone_into(&mut held.pod);
    pod.uid.clone_into(&mut held.uid);
    held.workload = workload_of(pod);
}
