//! When the programs forget who sent to a pod.

use std::{
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release},
    },
    time::Duration,
};

use agent_common::{Settings, Slot};
use detect::Time;

/// An endpoint is remembered for one to two of these: longer than a UDP exchange pauses, and shorter
/// than the filters take to fill.
const TURN: Duration = Duration::from_secs(60);

/// Turns the generations of all slots' filters at once.
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

/// The generation that packets enter.
pub(super) fn generation(settings: &Settings) -> usize {
    settings.generation.load(Relaxed) as usize & 1
}

/// Lets packets enter the other generation, which [`clear`] has cleared in every slot.
pub(super) fn turn(settings: &Settings) {
    let next = generation(settings) ^ 1;
    settings.generation.store(next as u64, Release);
}

/// Clears the generation that packets do not enter.
pub(super) fn clear(slot: &Slot, generation: usize) {
    let older = generation ^ 1;
    let words = slot.heard_tcp.generations[older].iter();
    for word in words.chain(&slot.heard_other.generations[older]) {
        word.store(0, Relaxed);
    }
}

/// How full the fuller filter of a generation is, in percent.
pub(super) fn fill_percent(slot: &Slot, generation: usize) -> u32 {
    let tcp = percent(&slot.heard_tcp.generations[generation]);
    tcp.max(percent(&slot.heard_other.generations[generation]))
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
