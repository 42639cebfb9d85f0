//! A spool under test, the collector that it delivers to, and what must be true of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use api::v1::{self, Severity};

use super::{
    super::{
        disk::Disk,
        journal::{Batch, Limits},
        keeper::{Keeper, lock},
        ledger::Position,
        memory::Memory,
    },
    power::Power,
};

pub(super) const LIMITS: Limits = Limits {
    capacity_bytes: 128 * 1024,
    segment_bytes: 4 * 1024,
};
const MEMORY_BYTES: u64 = 32 * 1024;

/// One after the other, as many as agents that were started.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) disk: Power,
    pub(super) keeper: Keeper,
    pub(super) memory: Mutex<Memory>,
    pub(super) epoch: u64,
    pub(super) raised: u64,
    /// Of each epoch: what was raised, with its severity and whether it was on the disk when that was said.
    pub(super) known: BTreeMap<u64, BTreeMap<u64, (Severity, bool)>>,
    pub(super) collector: Collector,
}

/// Holds all that it is sent, in order and once.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub(super) events: BTreeMap<u64, Vec<v1::Event>>,
    pub(super) gaps: BTreeMap<u64, Vec<v1::Gap>>,
    highest: BTreeMap<u64, u64>,
}

impl Collector {
    pub(super) fn welcome(&self, epoch: u64) -> u64 {
        self.highest.get(&epoch).copied().unwrap_or(0)
    }

    /// Takes a batch, and says what it holds then.
    pub(super) fn take(&mut self, epoch: u64, after: u64, batch: &Batch) -> u64 {
        let highest = self.highest.entry(epoch).or_default();
        assert!(after <= *highest, "a batch after one that never came");
        let mut items: Vec<_> = batch
            .events
            .iter()
            .map(|e| (sequence(&e.id), Ok(e)))
            .collect();
        items.extend(batch.gaps.iter().map(|g| (sequence(&g.id), Err(g))));
        items.sort_by_key(|(sequence, _)| *sequence);
        assert!(
            items.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "{items:?}"
        );
        for (sequence, item) in items {
            assert!(sequence > after, "it was sent before");
            if sequence <= *highest {
                continue;
            }
            *highest = sequence;
            match item {
                Ok(event) => self.events.entry(epoch).or_default().push(event.clone()),
                Err(gap) => self.gaps.entry(epoch).or_default().push(gap.clone()),
            }
        }
        *highest
    }

    pub(super) fn sequences(&self, epoch: u64) -> Vec<u64> {
        let events = self.events.get(&epoch).into_iter().flatten();
        events.map(|event| sequence(&event.id)).collect()
    }
}

impl Bench {
    pub(super) fn new(disk: Power) -> Self {
        Self::with(disk, Collector::default(), BTreeMap::new())
    }

    fn with(
        disk: Power,
        collector: Collector,
        known: BTreeMap<u64, BTreeMap<u64, (Severity, bool)>>,
    ) -> Self {
        let memory = Mutex::new(Memory::new(MEMORY_BYTES));
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let keeper = Keeper::open(shared, LIMITS, &memory);
        let before = known.last_key_value().map_or(0, |(epoch, _)| *epoch);
        Self {
            epoch: before.max(keeper.journal().newest_epoch()) + 1,
            disk,
            keeper,
            memory,
            raised: 0,
            known,
            collector,
        }
    }

    /// An agent that starts where this one was killed.
    pub(super) fn restart(self, disk: Power) -> Self {
        Self::with(disk, self.collector, self.known)
    }

    pub(super) fn raise(&mut self, severity: Severity, change: impl FnOnce(&mut v1::Event)) {
        self.raised += 1;
        let mut event = v1::Event {
            id: Some(v1::EventId {
                node: "n1".into(),
                epoch: self.epoch,
                sequence: self.raised,
            }),
            severity: severity.into(),
            anomaly_id: format!("anomaly {}", self.raised),
            raised_at: Some((UNIX_EPOCH + Duration::from_secs(self.raised)).into()),
            summary: "a scan ".repeat(60),
            ..v1::Event::default()
        };
        change(&mut event);
        let epoch = self.known.entry(self.epoch).or_default();
        epoch.insert(self.raised, (severity, false));
        lock(&self.memory).push(Arc::new(event));
    }

    /// What the thread does when there are events.
    pub(super) fn store(&mut self) -> bool {
        let stored = self.keeper.store(&self.memory);
        let spooled = self.keeper.spooled();
        let epoch = self.known.entry(self.epoch).or_default();
        for (_, is_spooled) in epoch.range_mut(..=spooled).map(|(_, known)| known) {
            *is_spooled = true;
        }
        stored
    }

    /// As long as there is something in memory, and the disk takes it.
    pub(super) fn store_all(&mut self) {
        while !lock(&self.memory).is_empty() && self.store() {}
    }

    /// A stream of the epoch whose turn it is, and at most so many batches; all but the last `unanswered`
    /// are acknowledged.
    pub(super) fn deliver(&mut self, batches: usize, unanswered: usize) {
        let epoch = self.keeper.journal().oldest_epoch().unwrap_or(self.epoch);
        let mut after = self.collector.welcome(epoch);
        self.keeper.resume(&self.memory, Position::at(epoch, after));
        for sent in 0..batches {
            let (batch, _) = self.keeper.batch(&self.memory, Position::at(epoch, after));
            if batch.is_empty() {
                break;
            }
            let held = self.collector.take(epoch, after, &batch);
            after = batch.last;
            if sent + unanswered < batches {
                self.keeper
                    .acknowledge(&self.memory, Position::at(epoch, held));
            }
        }
    }

    pub(super) fn pending(&self) -> u64 {
        lock(&self.memory).pending()
    }

    /// Delivers all that is left, on a disk that works.
    pub(super) fn finish(&mut self) {
        for _ in 0..1000 {
            self.store();
            self.store_all();
            if self.pending() == 0 {
                return;
            }
            self.deliver(100, 0);
        }
        panic!("never done: {} left of {:?}", self.pending(), self.keeper);
    }

    /// Every event that was raised is held once, in order, or in one gap; what was never on the disk may be
    /// missing if `may_miss_unspooled`.
    pub(super) fn check(&self, may_miss_unspooled: bool) {
        for (epoch, known) in &self.known {
            let held = self.collector.sequences(*epoch);
            assert!(held.is_sorted_by(|a, b| a < b), "order of {held:?}");
            let held: BTreeSet<_> = held.into_iter().collect();
            let missing: BTreeMap<_, _> = known
                .iter()
                .filter(|(sequence, _)| !held.contains(sequence))
                .collect();
            let gaps = self.collector.gaps.get(epoch);
            let gaps: Vec<_> = gaps.into_iter().flatten().collect();
            let told: u64 = gaps.iter().map(|gap| gap.events + gap.merged_updates).sum();
            for gap in &gaps {
                let sum: u64 = gap.lost.iter().map(|lost| lost.events).sum();
                assert_eq!(sum, gap.events, "{gap:?}");
                let first = gap.id.as_ref().map_or(0, |id| id.sequence);
                assert!(
                    missing.contains_key(&first),
                    "{gap:?} begins with one that came"
                );
                assert!(missing.contains_key(&gap.last_sequence), "{gap:?}");
            }
            let is_told = |sequence: &u64| {
                gaps.iter()
                    .any(|gap| (sequence_range(gap)).contains(sequence))
            };
            let untold: Vec<_> = missing.iter().filter(|(s, _)| !is_told(s)).collect();
            assert!(
                untold
                    .iter()
                    .all(|(_, known)| may_miss_unspooled && !known.1),
                "epoch {epoch}: {untold:?} are missing, and only {gaps:?} told"
            );
            let told_missing = missing.len() - untold.len();
            // What was never on the disk may be missing between those that a gap tells of.
            let unspooled = missing.values().filter(|known| !known.1).count() - untold.len();
            let slack = if may_miss_unspooled { unspooled } else { 0 };
            let least = told_missing - slack;
            assert!(
                (least as u64..=told_missing as u64).contains(&told),
                "epoch {epoch}: told {told} of {least} to {told_missing}: {gaps:?}, {missing:?}"
            );
        }
    }
}

fn sequence_range(gap: &v1::Gap) -> std::ops::RangeInclusive<u64> {
    sequence(&gap.id)..=gap.last_sequence
}

pub(super) fn sequence(id: &Option<v1::EventId>) -> u64 {
    id.as_ref().map_or(0, |id| id.sequence)
}
