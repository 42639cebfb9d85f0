//! Sums over a sliding minute.

use crate::Time;

const QUANTUM_NS: u64 = 1_000_000_000;
const QUANTA: u64 = 60;
const SLOTS: usize = QUANTA as usize + 1;

/// What was added within the last minute: exact in what was added, and in time to a second on the safe side,
/// for it counts for a minute at least and less than a second longer.
#[derive(Clone, Debug)]
pub(crate) struct Recent<const N: usize> {
    newest: u64,
    slots: [[u64; N]; SLOTS],
}

impl<const N: usize> Default for Recent<N> {
    fn default() -> Self {
        Self {
            newest: 0,
            slots: [[0; N]; SLOTS],
        }
    }
}

impl<const N: usize> Recent<N> {
    /// Adds to each sum. Times never decrease.
    pub(crate) fn add(&mut self, at: Time, numbers: [u64; N]) {
        self.pass(at);
        let slot = &mut self.slots[(self.newest % SLOTS as u64) as usize];
        for (sum, number) in slot.iter_mut().zip(numbers) {
            *sum = sum.saturating_add(number);
        }
    }

    /// The sums of the last minute.
    pub(crate) fn sums(&mut self, now: Time) -> [u64; N] {
        self.pass(now);
        let mut sums = [0_u64; N];
        for slot in &self.slots {
            for (sum, number) in sums.iter_mut().zip(slot) {
                *sum = sum.saturating_add(*number);
            }
        }
        sums
    }

    /// Forgets what is older than a minute.
    fn pass(&mut self, now: Time) {
        let quantum = now.nanoseconds() / QUANTUM_NS;
        let steps = quantum.saturating_sub(self.newest).min(SLOTS as u64);
        for step in 1..=steps {
            self.slots[((self.newest + step) % SLOTS as u64) as usize] = [0; N];
        }
        if steps == SLOTS as u64 {
            self.slots = [[0; N]; SLOTS];
        }
        self.newest = self.newest.max(quantum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_counts_for_a_minute_and_less_than_a_second_longer() {
        let ms = |at: u64| Time::from_nanoseconds(at * 1_000_000);
        for (added, asked, expected) in [
            (500, 500, [3, 7]),
            (500, 60_999, [3, 7]),
            (500, 61_000, [0, 0]),
            (59_999, 119_999, [3, 7]),
            (59_999, 120_000, [0, 0]),
            (500, 1 << 40, [0, 0]),
        ] {
            let mut recent = Recent::default();
            recent.add(ms(added), [1, 0]);
            recent.add(ms(added), [2, 7]);
            assert_eq!(recent.sums(ms(asked)), expected, "{added}, then {asked}");
        }
    }

    #[test]
    fn what_comes_later_is_added_to_what_still_counts() {
        let mut recent = Recent::default();
        for second in 0..100_u64 {
            let at = Time::from_nanoseconds(second * QUANTUM_NS);
            recent.add(at, [1]);
            assert_eq!(recent.sums(at), [(second + 1).min(61)]);
        }
    }
}
