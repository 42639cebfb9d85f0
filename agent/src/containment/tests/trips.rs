//! Trips as the programs take them: before anybody has judged, and many at once.

use std::time::Duration;

use detect::Subject;

use super::world::World;

const MINUTE: Duration = Duration::from_secs(60);

impl World {
    /// All of these spend their budget before the first of them is judged; which the programs hold until then.
    pub(super) fn trip(&mut self, subjects: &[Subject]) -> Vec<Subject> {
        let watched = self.pods.len();
        let armed = self.machine.armed(&self.suspects(), watched, self.now);
        let tripped = subjects.iter().filter(|it| armed.subjects.contains(it));
        let held: Vec<_> = tripped.take(armed.most).copied().collect();
        self.may_be_held(&held);
        held
    }

    /// All of them are judged.
    pub(super) fn let_go(&mut self, held: Vec<Subject>) {
        for subject in held {
            if !self.machine.let_go(subject, self.now) {
                continue;
            }
            self.held_at.push((self.now, subject));
            let mut machine = self.take_machine();
            let suspects = self.suspects();
            let suspect = suspects.iter().find(|it| it.subject == subject);
            let step = suspect.map(|it| machine.held_in_vain(it, 3, self.now));
            self.machine = machine;
            self.take(step);
        }
    }

    fn may_be_held(&self, held: &[Subject]) {
        if held.is_empty() {
            return;
        }
        let contained: Vec<_> = self.machine.held().map(|it| it.pod()[0]).collect();
        let namespace = |it: &Subject| self.pods[it].pod.namespace.as_str();
        for subject in held {
            let pod = &self.pods[subject].pod;
            assert_eq!(self.settings.protection(pod), None, "protected: {pod:?}");
            assert!(!pod.uid.is_empty() && pod.ended_at.is_none(), "{pod:?}");
            let again = self.held_at.iter().any(|(at, before)| {
                before == subject && self.now.since(*at) < Duration::from_secs(600)
            });
            assert!(!again, "{pod:?} is held again");
            let own = namespace(subject);
            let same = contained.iter().filter(|it| **it == own).count()
                + held.iter().filter(|it| namespace(it) == own).count();
            let most = self.settings.max_per_namespace as usize;
            assert!(same <= most, "{same} hit of {own}");
        }
        let all = contained.len() + held.len();
        let percent = self.settings.max_share_percent as usize;
        let share = (self.pods.len() * percent / 100).max(1);
        assert!(all <= share, "{all} hit of {share}");
        let before = self.held_at.iter().map(|(at, _)| at);
        let recent = before.chain(&self.contained_at);
        let recent = recent.filter(|at| self.now.since(**at) < MINUTE).count() + held.len();
        let most = self.settings.max_per_minute as usize;
        assert!(recent <= most, "{recent} hit within a minute");
    }
}
