//! When the programs forget what they have reported.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use agent_common::CONTACT_CACHE_ENTRIES;
use detect::Time;

/// How long a pair of peer and port is reported once at most: the detectors' shortest horizon, so that
/// what goes on for longer is evidence in each of them.
const REPORTED: Duration = Duration::from_secs(60);

/// Ages the contact cache of a slot: a share of its entries at each drain, all of them in turn.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// Up to when; none before the first time, when all there is may be a moment old.
    aged: Option<Time>,
    next: usize,
}

impl Cache {
    /// Clears as many entries as are due since the last time.
    ///
    /// A program that writes one at the same moment loses or keeps it: it reports once more, or not.
    pub(super) fn age(&mut self, entries: &[AtomicU64; CONTACT_CACHE_ENTRIES], now: Time) {
        let Some(aged) = self.aged else {
            self.aged = Some(now);
            return;
        };
        let share = REPORTED / CONTACT_CACHE_ENTRIES as u32;
        let due = now.since(aged).as_nanos() / share.as_nanos();
        let due =
            usize::try_from(due).map_or(CONTACT_CACHE_ENTRIES, |it| it.min(CONTACT_CACHE_ENTRIES));
        for entry in entries.iter().cycle().skip(self.next).take(due) {
            entry.store(0, Relaxed);
        }
        self.next = (self.next + due) % CONTACT_CACHE_ENTRIES;
        self.aged = Some(if due == CONTACT_CACHE_ENTRIES {
            now
        } else {
            aged + share * due as u32
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_cleared_once_a_minute() {
        let entries = [const { AtomicU64::new(0) }; CONTACT_CACHE_ENTRIES];
        let mut cache = Cache::default();
        let start = Time::default() + Duration::from_secs(1000);
        cache.age(&entries, start);
        for drains_per_second in [1, 7, 100] {
            let start = cache.aged.unwrap();
            let mut cleared = [0; CONTACT_CACHE_ENTRIES];
            for drain in 1..=60 * drains_per_second {
                for entry in &entries {
                    entry.store(1, Relaxed);
                }
                cache.age(
                    &entries,
                    start + Duration::from_secs(1) * drain / drains_per_second,
                );
                for (entry, count) in entries.iter().zip(&mut cleared) {
                    *count += i32::from(entry.load(Relaxed) == 0);
                }
            }
            let wrong = cleared
                .iter()
                .filter(|count| !(0..=1).contains(*count))
                .count();
            let total: i32 = cleared.iter().sum();
            assert_eq!(wrong, 0, "at {drains_per_second} drains a second");
            assert!(
                total >= CONTACT_CACHE_ENTRIES as i32 - 1,
                "{total} entries cleared"
            );
        }
    }
}
