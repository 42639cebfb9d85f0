//! Says which trips hold their pod until it is judged, and tells of those in vain.

use std::time::Duration;

use detect::{Count, Observation, Subject};

use super::{Sentry, guard::Guard};
use crate::{containment::Suspect, datapath::monotonic};

/// Less than what a SYN that is lost waits to be sent again, and more than a judgement takes.
const HOLD: Duration = Duration::from_millis(500);

impl Sentry {
    /// Says of every slot whether a trip contains it until it is judged, and how many may at a time.
    pub(super) fn arm(&self) {
        let now = monotonic();
        let pods = self.ends.pods.borrow();
        let suspects = Guard::suspects(&self.roster, &self.binder, &pods);
        let watched = suspects.iter().filter(|it| it.pod.is_some()).count();
        let armed = self.guard.machine.armed(&suspects, watched, now);
        for suspect in &suspects {
            let hold = match armed.subjects.contains(&suspect.subject) {
                true => HOLD,
                false => Duration::ZERO,
            };
            self.datapath.arm(suspect.subject, hold);
        }
        self.datapath.allow_holds(armed.most, now);
    }

    /// What was observed of the subject is judged, so a trip of it holds it no longer.
    pub(super) fn let_go(&mut self, observation: &Observation) {
        let subject = observation.subject;
        let dropped = observation.count(Count::Contained);
        self.holds.count(subject, dropped);
        if observation.tripped.is_none() || !self.datapath.let_go(subject) {
            return;
        }
        if self.guard.machine.let_go(subject, monotonic()) {
            self.holds.add(subject, dropped);
        }
        self.arm();
    }

    /// Tells of these, all of whose packets are counted by now.
    pub(super) fn tell_holds(&mut self, due: Vec<Subject>) {
        for subject in due {
            let Some(dropped) = self.holds.take(subject) else {
                continue;
            };
            let step = {
                let pods = self.ends.pods.borrow();
                let pod = self.binder.pod(subject, &pods);
                let suspect = Suspect { subject, pod };
                let machine = &mut self.guard.machine;
                machine.held_in_vain(&suspect, dropped, monotonic())
            };
            self.settle([step]);
        }
    }
}
