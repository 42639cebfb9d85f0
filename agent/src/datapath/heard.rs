//! When the programs forget who sent to a pod.

use std::{
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
    time::Duration,
};

use agent_common::{Heard, Slot};
use detect::Time;

/// An endpoint is remembered for one to two of these: longer than a UDP exchange pauses, and shorter
/// than the filters take to fill.
const TURN: Duration = Duration::from_secs(60);

/// When the filters of all slots are turned, at once.
#[derive(Debug, Default)]
pub(super) struct Turns {
    last: Option<Time>,
}

impl Turns {
    /// Whether a turn is over; the first begins now.
    pub(super) fn due(&mut self, now: Time) -> bool {
        let last = *self.last.get_or_insert(now);
        let due = now.since(last) >= TURN;
        if due {
            self.last = Some(now);
        }
        due
    }
}

/// A turn of a slot's filters.
pub(super) fn turn(slot: &Slot) {
    age(&slot.heard_tcp);
    age(&slot.heard_other);
}

/// Moves the recent words to the older ones. An endpoint is in one of them at any moment, and what a packet
/// enters meanwhile stays recent.
fn age<const WORDS: usize>(filter: &Heard<WORDS>) {
    for (recent, older) in filter.recent.iter().zip(&filter.older) {
        let bits = recent.load(Acquire);
        older.store(bits, Release);
        recent.fetch_and(!bits, AcqRel);
    }
}

/// How full the fuller of the recent filters is, in percent.
pub(super) fn fill_percent(slot: &Slot) -> u32 {
    percent(&slot.heard_tcp.recent).max(percent(&slot.heard_other.recent))
}

fn percent(words: &[AtomicU64]) -> u32 {
    let ones = words.iter().map(|word| word.load(Relaxed).count_ones());
    let bits = u64::from(u64::BITS) * words.len().max(1) as u64;
    (ones.map(u64::from).sum::<u64>() * 100 / bits) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_takes_a_minute_and_begins_with_the_first_look() {
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let mut turns = Turns::default();
        let cases = [
            (1000, false),
            (1059, false),
            (1060, true),
            (1061, false),
            (1300, true),
        ];
        for (seconds, due) in cases {
            assert_eq!(turns.due(at(seconds)), due, "at {seconds} s");
        }
    }

    #[test]
    fn fill_is_a_share_of_the_bits() {
        let words = [u64::MAX, 0, 0, 0xffff].map(AtomicU64::new);
        assert_eq!(percent(&words), 31);
    }
}
