//! Carries what one slot holds to another, which may be of another layout.

use std::{
    ops::Range,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use agent_common::Holds;

use super::layout::{Layout, Shared};

/// From the slots of one layout to those of another.
#[derive(Debug)]
pub(super) struct Pour {
    shared: Vec<Shared>,
}

impl Pour {
    /// What is kept by hashes is of use only to who hashes `alike`.
    pub(super) fn between(from: &Layout, to: &Layout, alike: bool) -> Self {
        let mut shared = to.shared(from);
        let by_hash = |it: &Shared| matches!(it.holds, Holds::FreshHashes | Holds::KnownHashes);
        shared.retain(|it| alike || !by_hash(it));
        Self { shared }
    }

    /// What has to be there before the first packet: who is contained, and what a pod may go on with.
    pub(super) fn prepare(&self, from: &[AtomicU64], to: &[AtomicU64]) {
        for (holds, from, to) in self.words(from, to) {
            match holds {
                Holds::Said => to.store(from.load(Acquire), Relaxed),
                Holds::Known | Holds::KnownHashes => {
                    to.fetch_or(from.load(Acquire), AcqRel);
                }
                Holds::Own | Holds::Counts | Holds::Fresh | Holds::FreshHashes => {}
            }
        }
    }

    /// Takes what was counted, so that it is counted once, and what came to be known meanwhile. The programs enter a
    /// packet into the sets first, so the counts are taken before them, as for a drain.
    pub(super) fn take(&self, from: &[AtomicU64], to: &[AtomicU64]) {
        for (holds, from, to) in self.words(from, to) {
            if holds == Holds::Counts && from.load(Relaxed) != 0 {
                to.fetch_add(from.swap(0, AcqRel), AcqRel);
            }
        }
        for (holds, from, to) in self.words(from, to) {
            match holds {
                _ if from.load(Relaxed) == 0 => {}
                Holds::Fresh | Holds::FreshHashes => {
                    to.fetch_or(from.swap(0, AcqRel), AcqRel);
                }
                Holds::Known | Holds::KnownHashes => {
                    to.fetch_or(from.load(Relaxed), AcqRel);
                }
                Holds::Own | Holds::Said | Holds::Counts => {}
            }
        }
    }

    fn words<'a>(
        &self,
        from: &'a [AtomicU64],
        to: &'a [AtomicU64],
    ) -> impl Iterator<Item = (Holds, &'a AtomicU64, &'a AtomicU64)> {
        self.shared.iter().flat_map(move |it| {
            let words = |of: &'a [AtomicU64], range: &Range<usize>| {
                of.get(range.clone()).unwrap_or_default().iter()
            };
            let pairs = words(from, &it.from).zip(words(to, &it.to));
            pairs.map(|(from, to)| (it.holds, from, to))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(layout: &Layout) -> Vec<AtomicU64> {
        (0..layout.slot).map(|_| AtomicU64::new(0)).collect()
    }

    fn set(layout: &Layout, slot: &[AtomicU64], field: &str, values: &[u64]) {
        let words = &slot[layout.field(field).unwrap()];
        for (word, value) in words.iter().zip(values) {
            word.store(*value, Relaxed);
        }
    }

    fn first(layout: &Layout, slot: &[AtomicU64], field: &str) -> [u64; 2] {
        let words = &slot[layout.field(field).unwrap()];
        [0, 1].map(|index| words.get(index).map_or(0, |word| word.load(Relaxed)))
    }

    /// An older one: other places, a counter less.
    fn older() -> Layout {
        let text = Layout::own().to_string();
        let (head, _) = text.split_once(" ifindex").unwrap();
        let mut words = head.split(' ');
        let [hashes, buckets, rings] = [(); 3].map(|()| words.next().unwrap());
        format!(
            "{hashes} {buckets} {rings} 1200 3 epoch=0+1 counters=1+17 lease_ns=18+1 \
             heard_tcp.recent=20+64 hosts.refused=100+16 tcp.fresh=116+1024 budget=1150+1"
        )
        .parse()
        .unwrap()
    }

    #[test]
    fn what_both_know_is_carried_once_and_added_to_what_is_there() {
        let (from, to) = (older(), Layout::own());
        let (former, ours) = (slot(&from), slot(&to));
        for (field, values) in [
            ("lease_ns", &[7][..]),
            ("counters", &[3, 1]),
            ("heard_tcp.recent", &[1]),
            ("hosts.refused", &[0, 4]),
            ("tcp.fresh", &[0b11]),
            ("budget", &[9]),
        ] {
            set(&from, &former, field, values);
        }
        let pour = Pour::between(&from, &to, true);
        pour.prepare(&former, &ours);
        assert_eq!(first(&to, &ours, "lease_ns"), [7, 0]);
        assert_eq!(first(&to, &ours, "heard_tcp.recent"), [1, 0]);
        assert_eq!(first(&to, &ours, "counters"), [0, 0], "not yet");
        set(&to, &ours, "counters", &[10]);
        set(&to, &ours, "tcp.fresh", &[0b100]);
        for round in ["carried", "and not twice"] {
            pour.take(&former, &ours);
            assert_eq!(first(&to, &ours, "counters"), [13, 1], "{round}");
            assert_eq!(first(&to, &ours, "tcp.fresh"), [0b111, 0], "{round}");
            assert_eq!(first(&to, &ours, "hosts.refused"), [0, 4], "{round}");
            assert_eq!(first(&to, &ours, "budget"), [0, 0], "{round}");
        }
        assert_eq!(first(&from, &former, "counters"), [0, 0]);
        assert_eq!(first(&from, &former, "lease_ns"), [7, 0]);
    }

    #[test]
    fn what_others_hash_is_left() {
        let (from, to) = (older(), Layout::own());
        let (former, ours) = (slot(&from), slot(&to));
        set(&from, &former, "heard_tcp.recent", &[1]);
        set(&from, &former, "hosts.refused", &[1]);
        set(&from, &former, "tcp.fresh", &[1]);
        let pour = Pour::between(&from, &to, false);
        pour.prepare(&former, &ours);
        pour.take(&former, &ours);
        assert_eq!(first(&to, &ours, "heard_tcp.recent"), [0, 0]);
        assert_eq!(first(&to, &ours, "hosts.refused"), [0, 0]);
        assert_eq!(first(&to, &ours, "tcp.fresh"), [1, 0]);
    }
}
