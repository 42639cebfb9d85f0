//! When to look for the addresses at the other ends of interfaces: nobody tells when these change.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// From the appearance of an interface to the first look: its CNI plugin sets the addresses right after.
const FIRST: Duration = Duration::from_millis(20);
/// The longest pause between looks; they double from the first.
const LAST: Duration = Duration::from_millis(1280);
/// Looks at a time, so that what else is told does not wait for them.
const TOGETHER: usize = 16;

/// When to look, by interface.
#[derive(Debug, Default)]
pub(super) struct Schedule(BTreeMap<u32, Look>);

#[derive(Debug)]
struct Look {
    due: Instant,
    pause: Duration,
}

impl Schedule {
    /// One that appeared now is looked at soon, and a few times more.
    pub(super) fn appeared(&mut self, ifindex: u32, now: Instant) {
        let look = Look {
            due: now + FIRST,
            pause: FIRST,
        };
        self.0.insert(ifindex, look);
    }

    pub(super) fn gone(&mut self, ifindex: u32) {
        self.0.remove(&ifindex);
    }

    /// All are looked at once more.
    pub(super) fn again(&mut self, indexes: impl Iterator<Item = u32>, now: Instant) {
        for ifindex in indexes {
            let look = Look {
                due: now,
                pause: LAST,
            };
            self.0.entry(ifindex).or_insert(look);
        }
    }

    /// When the next look is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|look| look.due).min()
    }

    /// Some that are due, to be looked at now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<u32> {
        let due = self.0.iter().filter(|(_, look)| look.due <= now);
        let due: Vec<_> = due.map(|(&ifindex, _)| ifindex).take(TOGETHER).collect();
        for ifindex in &due {
            match self.0.get_mut(ifindex).filter(|look| look.pause < LAST) {
                Some(look) => {
                    look.pause *= 2;
                    look.due = now + look.pause;
                }
                None => self.gone(*ifindex),
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any moment will do")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn an_interface_is_looked_at_soon_and_ever_more_seldom() {
        let (start, mut schedule) = (start(), Schedule::default());
        schedule.appeared(7, start);
        let mut looks = Vec::new();
        while let Some(due) = schedule.next() {
            assert!(schedule.take(due - Duration::from_millis(1)).is_empty());
            assert_eq!(schedule.take(due), [7]);
            looks.push((due - start).as_millis());
        }
        assert_eq!(looks, [20, 60, 140, 300, 620, 1260, 2540]);
        schedule.again([7].into_iter(), start);
        assert_eq!(schedule.take(start), [7]);
        assert_eq!(schedule.next(), None, "once more is once");
    }

    #[test]
    fn what_is_gone_is_not_looked_at_and_many_are_not_looked_at_together() {
        let (start, mut schedule) = (start(), Schedule::default());
        for ifindex in 0..40 {
            schedule.appeared(ifindex, start);
        }
        schedule.gone(0);
        let due = start + FIRST;
        let looks: Vec<_> = (0..4).map(|_| schedule.take(due).len()).collect();
        assert_eq!(looks, [16, 16, 7, 0]);
    }
}
