//! Counts keys by when each was last seen, over a sliding minute and a sliding hour.

use std::{mem, time::Duration};

use crate::Time;

/// The horizons everything is counted over.
pub(crate) const HORIZONS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(3600)];

/// A number for each of [`HORIZONS`].
pub(crate) type PerHorizon = [u32; HORIZONS.len()];

/// The first horizon over which `counts` reach `limits`.
pub(crate) fn reached(counts: PerHorizon, limits: PerHorizon) -> Option<usize> {
    (0..HORIZONS.len()).find(|&horizon| counts[horizon] >= limits[horizon])
}

/// What is left until `counts` reach the nearest of `limits`; at least 1.
pub(crate) fn left(counts: PerHorizon, limits: PerHorizon) -> u32 {
    let left = limits
        .iter()
        .zip(counts)
        .map(|(limit, count)| limit.saturating_sub(count));
    left.min().unwrap_or(0).max(1)
}

/// How far back the window of a horizon reaches at most.
pub(crate) fn reach(horizon: usize) -> Duration {
    HORIZONS[horizon] + HORIZONS[horizon] / QUANTA as u32
}

/// Whether the window of a horizon has at `now` what was seen once, `at` some time before.
pub(crate) fn within(horizon: Duration, at: Time, now: Time) -> bool {
    let quantum_ns = quantum_ns(horizon);
    let quanta = (now.nanoseconds() / quantum_ns).saturating_sub(at.nanoseconds() / quantum_ns);
    quanta <= QUANTA
}

const QUANTA: u64 = 60;
const SLOTS: u64 = QUANTA + 1;

/// How many keys were last seen within each of [`HORIZONS`].
///
/// The owner remembers for each key when it was last seen and reports every change of that time. It takes
/// no memory until the first key is seen: most destinations and pods never fail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows(Option<Box<[Window; HORIZONS.len()]>>);

impl Windows {
    /// The key last seen `before` is seen `at`.
    pub(crate) fn seen(&mut self, before: Option<Time>, at: Time) {
        let windows = self
            .0
            .get_or_insert_with(|| Box::new(HORIZONS.map(Window::new)));
        for window in windows.iter_mut() {
            if let Some(before) = before {
                window.leave(before);
            }
            window.enter(at);
        }
    }

    /// The key last seen `at` no longer counts.
    pub(crate) fn forget(&mut self, at: Time) {
        for window in self.0.iter_mut().flat_map(|windows| windows.iter_mut()) {
            window.leave(at);
        }
    }

    pub(crate) fn counts(&self, now: Time) -> PerHorizon {
        let counts = self.0.as_ref();
        counts.map_or_else(PerHorizon::default, |windows| {
            windows.each_ref().map(|window| window.count(now))
        })
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.as_deref().map_or(0, size_of_val)
    }
}

/// One horizon, of a minute or more: how many keys were last seen in each of its sixty quanta.
///
/// Exact in the keys, and O(1) in each change: a key that is seen again moves from one quantum to
/// another. In time it is exact to a quantum, on the safe side: a key counts for the whole horizon
/// and for less than a sixtieth of it longer.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    quantum_ns: u64,
    newest: u64,
    total: u32,
    counts: [u32; SLOTS as usize],
}

impl Window {
    pub(crate) fn new(horizon: Duration) -> Self {
        Self {
            quantum_ns: quantum_ns(horizon),
            newest: 0,
            total: 0,
            counts: [0; SLOTS as usize],
        }
    }

    pub(crate) fn enter(&mut self, at: Time) {
        let quantum = self.quantum(at);
        for passed in self.passed(quantum) {
            self.total -= mem::take(&mut self.counts[passed]);
        }
        self.newest = self.newest.max(quantum);
        if let Some(slot) = self.slot(at) {
            self.counts[slot] += 1;
            self.total += 1;
        }
    }

    pub(crate) fn leave(&mut self, at: Time) {
        if let Some(slot) = self.slot(at) {
            self.counts[slot] -= 1;
            self.total -= 1;
        }
    }

    pub(crate) fn count(&self, now: Time) -> u32 {
        // Most pods do nothing most of the time: nothing is to be taken off.
        if self.total == 0 {
            return 0;
        }
        let passed = self.passed(self.quantum(now));
        self.total - passed.map(|slot| self.counts[slot]).sum::<u32>()
    }

    const fn quantum(&self, at: Time) -> u64 {
        at.nanoseconds() / self.quantum_ns
    }

    /// Where keys last seen `at` are counted, unless they are too old to be.
    fn slot(&self, at: Time) -> Option<usize> {
        let quantum = self.quantum(at);
        (self.newest.saturating_sub(quantum) <= QUANTA).then_some((quantum % SLOTS) as usize)
    }

    /// The slots that fall out of the window when `quantum` comes into it.
    fn passed(&self, quantum: u64) -> impl Iterator<Item = usize> + use<> {
        let newest = self.newest;
        let steps = quantum.saturating_sub(newest).min(SLOTS);
        (1..=steps).map(move |step| ((newest + step) % SLOTS) as usize)
    }
}

const fn quantum_ns(horizon: Duration) -> u64 {
    horizon.as_secs() * 1_000_000_000 / QUANTA
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn milliseconds(at: u64) -> Time {
        Time::from_nanoseconds(at * 1_000_000)
    }

    #[test]
    fn a_key_counts_for_its_horizon_and_less_than_a_quantum_longer() {
        for (seen, now, expected) in [
            (500, 500, [1, 1]),
            (500, 60_500, [1, 1]),
            (500, 60_999, [1, 1]),
            (500, 61_000, [0, 1]),
            (999, 60_999, [1, 1]),
            (500, 3_600_500, [0, 1]),
            (500, 3_659_999, [0, 1]),
            (500, 3_660_000, [0, 0]),
            (500, 1 << 40, [0, 0]),
        ] {
            let mut windows = Windows::default();
            windows.seen(None, milliseconds(seen));
            assert_eq!(
                windows.counts(milliseconds(now)),
                expected,
                "seen at {seen}, asked at {now}"
            );
        }
    }

    #[test]
    fn a_key_seen_again_counts_once_and_from_then() {
        let mut windows = Windows::default();
        windows.seen(None, milliseconds(0));
        windows.seen(Some(milliseconds(0)), milliseconds(50_000));
        assert_eq!(windows.counts(milliseconds(50_000)), [1, 1]);
        assert_eq!(windows.counts(milliseconds(100_000)), [1, 1]);
        windows.seen(Some(milliseconds(50_000)), milliseconds(110_999));
        assert_eq!(windows.counts(milliseconds(110_999)), [1, 1]);
        windows.seen(Some(milliseconds(110_999)), milliseconds(300_000));
        assert_eq!(windows.counts(milliseconds(300_000)), [1, 1]);
    }

    #[test]
    fn a_key_in_the_oldest_quantum_moves_when_it_is_seen_again() {
        let mut windows = Windows::default();
        windows.seen(None, milliseconds(0));
        windows.seen(None, milliseconds(60_000));
        windows.seen(Some(milliseconds(0)), milliseconds(60_000));
        assert_eq!(windows.counts(milliseconds(60_000)), [2, 2]);
    }

    #[test]
    fn a_key_too_old_to_be_counted_is_neither_counted_nor_taken_back() {
        let mut windows = Windows::default();
        windows.seen(None, milliseconds(100_000));
        windows.seen(None, milliseconds(10_000));
        assert_eq!(windows.counts(milliseconds(100_000)), [1, 2]);
        windows.forget(milliseconds(10_000));
        assert_eq!(windows.counts(milliseconds(100_000)), [1, 1]);
        windows.forget(milliseconds(100_000));
        assert_eq!(windows.counts(milliseconds(100_000)), [0, 0]);
    }
}
