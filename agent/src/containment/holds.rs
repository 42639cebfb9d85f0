//! Trips that hold a pod before anybody has judged it: how many may, and what is said of those that did for nothing.
//!
//! A hold drops what a containment drops, so the same caps bind it, and the pods that are held now count as
//! contained. Whoever is held in vain is not held again for a while: he would lose packets at every trip.

use api::v1::{ActionKind, Severity, State};
use detect::{Subject, Time};

use super::{Change, Containment, Step, Suspect, Told};

/// Which trips hold their pod until it is judged.
#[derive(Debug, Default)]
pub struct Armed {
    /// Of these.
    pub subjects: Vec<Subject>,
    /// So many at a time.
    pub most: usize,
}

impl Containment {
    /// Which trips may hold their pod: of those that nothing stands against containing, as many as the caps allow.
    #[must_use]
    pub fn armed(&self, suspects: &[Suspect<'_>], watched: usize, now: Time) -> Armed {
        let mut most = self.room(watched, now);
        let mut subjects = Vec::new();
        for suspect in suspects {
            if let Some(pod) = suspect.known().filter(|_| self.arms(suspect, watched, now)) {
                // Whichever pods trip first may be all of this namespace.
                most = most.min(self.room_of(&pod.namespace));
                subjects.push(suspect.subject);
            }
        }
        Armed { subjects, most }
    }

    fn arms(&self, suspect: &Suspect<'_>, watched: usize, now: Time) -> bool {
        !self.held.contains_key(&suspect.subject)
            && !self.vain.is_of_late(suspect.subject, now)
            && self.may_contain(suspect, watched, now).is_ok()
    }

    /// How many pods may be hit now, wherever they are.
    fn room(&self, watched: usize, now: Time) -> usize {
        let hit = self.contained_of_late(now) + self.vain.of_late(now);
        let a_minute = self.settings.max_per_minute as usize;
        let share = self.share(watched).saturating_sub(self.held.len());
        share.min(a_minute.saturating_sub(hit))
    }

    /// A trip of it has held the pod, and it is judged: whether in vain.
    pub fn let_go(&mut self, subject: Subject, now: Time) -> bool {
        if self.held.contains_key(&subject) {
            return false;
        }
        self.vain.add(subject, now);
        true
    }

    /// What a hold in vain has dropped, to be told.
    pub fn held_in_vain(&mut self, suspect: &Suspect<'_>, dropped: u64, now: Time) -> Step {
        self.serial += 1;
        let pod = suspect.pod.cloned().unwrap_or_default();
        let told = Told {
            serial: self.serial,
            opened_by: self.epoch,
            state: State::Opened,
            severity: Severity::Low,
            kind: ActionKind::Held,
            reason: format!(
                "it tried so many new ports that {dropped} packets to further ones were dropped until it was \
                 judged; it does nothing that it is contained for"
            ),
            by: String::new(),
            command_id: String::new(),
            anomaly_id: String::new(),
            namespace: pod.namespace,
            pod: pod.name,
            uid: pod.uid,
            since: now,
            until: None,
            withheld: 0,
        };
        Step {
            subject: Some(suspect.subject),
            change: Change::Nothing,
            told: (dropped > 0).then_some(told),
            kind: ActionKind::Held,
            refused: None,
        }
    }
}
