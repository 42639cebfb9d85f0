//! Events that are not on the disk: on their way there, or kept because it does not take them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use api::{encoding, v1};

use super::{
    ledger::Position,
    loss::{Level, Loss, moment},
    record::MOST_PAYLOAD_BYTES,
};

/// What an event takes besides its fields.
const OVERHEAD_BYTES: u64 = 256;

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) event: Arc<v1::Event>,
    /// It was raised while there was no disk for it, or has been waiting while there was none.
    pub(super) is_volatile: bool,
    bytes: u64,
}

/// Unspooled events of one epoch, in sequence order, bounded.
#[derive(Debug)]
pub(super) struct Memory {
    capacity_bytes: u64,
    bytes: u64,
    held: BTreeMap<u64, Held>,
    by_level: BTreeSet<(Level, u64)>,
    epoch: u64,
    /// Events up to here are being written, or the collector may hold them.
    fixed: u64,
    /// The disk takes nothing: what is raised now is nowhere else.
    is_volatile: bool,
    /// Events and gaps that wait on the disk.
    elsewhere: u64,
    /// Epoch and what was let go of, until somebody writes it down.
    loss: Option<(u64, Loss)>,
    /// Events that must come before merging is worth another try.
    merge_credit: usize,
}

impl Memory {
    pub(super) fn new(capacity_bytes: u64) -> Self {
        Self {
            capacity_bytes,
            bytes: 0,
            held: BTreeMap::new(),
            by_level: BTreeSet::new(),
            epoch: 0,
            fixed: 0,
            is_volatile: false,
            elsewhere: 0,
            loss: None,
            merge_credit: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Events and gaps that the collector does not hold, here and on the disk.
    pub(super) fn pending(&self) -> u64 {
        let here = self.held.len() as u64 + u64::from(self.loss.is_some());
        self.elsewhere.saturating_add(here)
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// So many events and gaps wait on the disk.
    pub(super) const fn wait_elsewhere(&mut self, pending: u64) {
        self.elsewhere = pending;
    }

    /// Takes in an event. When there is no room, updates of one anomaly are merged, and then the oldest of
    /// the lowest severity goes, which may be this one.
    pub(super) fn push(&mut self, event: Arc<v1::Event>) {
        let size = encoding::size(&*event);
        let (sequence, level) = (sequence(&event), Level::of(&event));
        let bytes = size as u64 + OVERHEAD_BYTES;
        self.bytes += bytes;
        self.by_level.insert((level, sequence));
        let held = Held {
            event,
            is_volatile: self.is_volatile,
            bytes,
        };
        self.epoch = held.epoch();
        self.held.insert(sequence, held);
        self.merge_credit = self.merge_credit.saturating_sub(1);
        // The suffix that says how durable it is goes with it.
        if size + 8 > MOST_PAYLOAD_BYTES {
            self.let_go(sequence, false);
        }
        if self.bytes > self.capacity_bytes && self.merge_credit == 0 {
            self.merge();
            self.merge_credit = self.held.len() / 4;
        }
        while self.bytes > self.capacity_bytes {
            let mut lowest = self.by_level.iter();
            let Some(&(_, oldest)) = lowest.find(|(_, sequence)| *sequence > self.fixed) else {
                break;
            };
            self.let_go(oldest, false);
        }
    }

    /// The first events, up to so many bytes, to be written: until [`Self::release`] none of them goes.
    pub(super) fn take(&mut self, most_bytes: u64) -> Vec<Held> {
        let mut bytes = 0;
        let group: Vec<_> = self
            .held
            .values()
            .take_while(|held| {
                bytes += held.bytes;
                bytes <= most_bytes || bytes == held.bytes
            })
            .cloned()
            .collect();
        let last = group.last().map_or(0, |held| sequence(&held.event));
        self.fixed = self.fixed.max(last);
        group
    }

    /// They are elsewhere, or were let go of by somebody else.
    pub(super) fn remove(&mut self, sequences: impl IntoIterator<Item = u64>) {
        for sequence in sequences {
            self.remove_one(sequence);
        }
    }

    /// The collector may hold all up to a position, and nothing is being written.
    pub(super) fn release(&mut self, sent: Position) {
        self.fixed = if sent.epoch == self.epoch {
            sent.sequence
        } else {
            0
        };
    }

    /// The collector holds all up to a position; returns how many went.
    pub(super) fn acknowledge(&mut self, held: Position) -> u64 {
        if held.epoch != self.epoch {
            return 0;
        }
        let rest = self.held.split_off(&held.sequence.saturating_add(1));
        let safe = std::mem::replace(&mut self.held, rest);
        for (sequence, held) in &safe {
            self.bytes -= held.bytes;
            self.by_level.remove(&(Level::of(&held.event), *sequence));
        }
        safe.len() as u64
    }

    /// The disk takes what is raised from now on.
    pub(super) const fn mark_durable(&mut self) {
        self.is_volatile = false;
    }

    /// The disk takes nothing: neither what is here nor what is raised from now on.
    pub(super) fn mark_volatile(&mut self) {
        self.is_volatile = true;
        for held in self.held.values_mut() {
            held.is_volatile = true;
        }
    }

    /// The first events behind a position, to be sent: until [`Self::release`] none of them goes.
    pub(super) fn hold(&mut self, after: Position, most: usize) -> Vec<v1::Event> {
        if after.epoch != self.epoch {
            return Vec::new();
        }
        let later = self.held.range(after.sequence.saturating_add(1)..);
        let events: Vec<_> = later.take(most).map(|(_, held)| held.event()).collect();
        self.fixed = self.fixed.max(events.last().map_or(0, sequence));
        events
    }

    /// What was let go of since the last call, and of which epoch.
    pub(super) fn take_loss(&mut self) -> Option<(u64, Loss)> {
        self.loss.take()
    }

    fn merge(&mut self) {
        let mut latest = HashMap::new();
        let mut gone = Vec::new();
        for (sequence, held) in self.held.range(self.fixed.saturating_add(1)..) {
            if held.event.state() == v1::State::Updated {
                gone.extend(latest.insert(held.event.anomaly_id.clone(), *sequence));
            }
        }
        gone.sort_unstable();
        for sequence in gone {
            self.let_go(sequence, true);
        }
    }

    fn let_go(&mut self, sequence: u64, is_merged: bool) {
        let Some(held) = self.remove_one(sequence) else {
            return;
        };
        let raised = moment(&held.event);
        let loss = if is_merged {
            Loss::merged(sequence, raised)
        } else {
            Loss::dropped(Level::of(&held.event), sequence, raised)
        };
        match &mut self.loss {
            Some((_, sum)) => sum.add(&loss),
            None => self.loss = Some((held.epoch(), loss)),
        }
    }

    fn remove_one(&mut self, sequence: u64) -> Option<Held> {
        let held = self.held.remove(&sequence)?;
        self.bytes -= held.bytes;
        self.by_level.remove(&(Level::of(&held.event), sequence));
        Some(held)
    }
}

impl Held {
    pub(super) fn epoch(&self) -> u64 {
        self.event.id.as_ref().map_or(0, |id| id.epoch)
    }

    /// The event as it is kept and sent, which says where it was.
    pub(super) fn event(&self) -> v1::Event {
        let durability = if self.is_volatile {
            v1::Durability::Volatile
        } else {
            v1::Durability::Durable
        };
        v1::Event {
            durability: durability.into(),
            ..v1::Event::clone(&self.event)
        }
    }
}

pub(super) fn sequence(event: &v1::Event) -> u64 {
    event.id.as_ref().map_or(0, |id| id.sequence)
}
