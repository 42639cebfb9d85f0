//! What follows from what a person commands.

use std::time::Duration;

use api::{
    containment::{LONGEST_LEASE, SHORTEST_LEASE},
    v1::{ActionKind, State},
};
use detect::Time;

use super::{Change, Containment, Refusal, Step, Suspect, about::About, review::name, voice::By};

/// Operators whose sequences are remembered.
const SIGNERS: usize = 1024;

/// A command whose signature is known to be its signer's.
#[derive(Clone, Debug)]
pub struct Order {
    /// Of the command.
    pub id: String,
    /// Who signed it.
    pub operator: String,
    /// Greater than that of every one before.
    pub sequence: u64,
    /// Of the pod.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// Its uid.
    pub uid: String,
    /// Why, for people.
    pub reason: String,
    /// What to do.
    pub deed: Deed,
}

/// What is commanded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// Contain the pod for so long.
    Contain(Duration),
    /// Let it go.
    Release,
}

impl Containment {
    /// Does what is commanded, unless something stands against it. What was commanded before is not obeyed
    /// again, whether it was obeyed or not.
    ///
    /// # Errors
    /// Why not.
    pub fn obey(
        &mut self,
        order: &Order,
        suspects: &[Suspect<'_>],
        now: Time,
    ) -> (Step, Result<(), Refusal>) {
        let mut suspects = suspects.iter();
        let suspect = suspects.find(|it| {
            let same = |pod: &api::v1::Pod| {
                pod.uid == order.uid && pod.namespace == order.namespace && pod.name == order.pod
            };
            it.known().is_some_and(same)
        });
        let about = About {
            subject: suspect.map(|it| it.subject),
            pod: suspect.and_then(|it| it.pod),
            by: By::Operator(&order.operator),
            command_id: &order.id,
            reason: &order.reason,
            ..About::default()
        };
        let done = self
            .is_new(order)
            .and_then(|()| suspect.ok_or(Refusal::Elsewhere))
            .and_then(|suspect| match order.deed {
                Deed::Contain(lease) => self.contain_for(order, suspect, lease, now),
                Deed::Release => {
                    let (subject, by) = (suspect.subject, &order.operator);
                    let reason = because(&order.reason, by);
                    let mut step = self
                        .end(subject, ActionKind::Released, &reason, by, now)
                        .ok_or(Refusal::NotContained)?;
                    let told = step.told.iter_mut();
                    told.for_each(|told| order.id.clone_into(&mut told.command_id));
                    Ok(step)
                }
            });
        match done {
            Ok(step) => (step, Ok(())),
            Err(refusal) => (self.refuse(&about, &refusal, now), Err(refusal)),
        }
    }

    /// That something was commanded by nobody who may.
    pub fn reject(&mut self, id: &str, why: &str, now: Time) -> Step {
        let refusal = Refusal::Unverified(why.to_owned());
        let about = About {
            by: By::Nobody,
            command_id: id,
            ..About::default()
        };
        self.refuse(&about, &refusal, now)
    }

    fn is_new(&mut self, order: &Order) -> Result<(), Refusal> {
        let last = self.signers.get(&order.operator);
        if last.is_some_and(|last| order.sequence <= *last) {
            return Err(Refusal::Replayed);
        }
        if last.is_none() && self.signers.len() >= SIGNERS {
            return Err(Refusal::Signers);
        }
        let signer = order.operator.clone();
        self.signers.insert(signer, order.sequence);
        Ok(())
    }

    fn contain_for(
        &mut self,
        order: &Order,
        suspect: &Suspect<'_>,
        lease: Duration,
        now: Time,
    ) -> Result<Step, Refusal> {
        let pod = suspect.known().ok_or(Refusal::Unknown)?;
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&lease) {
            return Err(Refusal::Lease);
        }
        self.may_touch(pod)?;
        let is_held = self.held.contains_key(&suspect.subject);
        let held = match self.held.get_mut(&suspect.subject) {
            Some(held) => held,
            None => self.begin(suspect.subject, pod, lease, now),
        };
        // It is this pod that the person means, whoever was behind the interface before.
        name(held, pod);
        held.until_ns = (now + lease).nanoseconds();
        held.reason = because(&order.reason, &order.operator);
        order.operator.clone_into(&mut held.by);
        order.id.clone_into(&mut held.command_id);
        let told = match is_held {
            true => (ActionKind::Renewed, State::Updated),
            false => (ActionKind::Contained, State::Opened),
        };
        let change = Change::Contain(held.until());
        Ok(Step::of(held, change, told, &held.reason))
    }
}

fn because(reason: &str, operator: &str) -> String {
    match reason {
        "" => format!("{operator} gave no reason"),
        reason => reason.to_owned(),
    }
}
