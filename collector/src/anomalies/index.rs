//! All anomalies at hand, built from the log in its order: bounded, and the oldest that are closed go first.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use api::{actions::CONTAINMENT, correlations::COLLECTOR, triage::TRIAGE, v1};

use super::{
    names::Names,
    record::{self, Record},
};
use crate::store::nanoseconds;

/// Nodes whose newest epoch is remembered.
const NODES: usize = 20_000;

/// What it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) anomalies: usize,
    pub(super) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            anomalies: 200_000,
            bytes: 256 << 20,
        }
    }
}

/// The anomalies.
#[derive(Debug, Default)]
pub(super) struct Index {
    bounds: Bounds,
    pub(super) names: Names,
    pub(super) records: Vec<Option<Record>>,
    free: Vec<usize>,
    by_id: HashMap<Arc<str>, usize>,
    /// Closed ones first, and of them those that were told of longest ago.
    order: BTreeMap<(bool, u64), usize>,
    /// By node: the newest epoch of its agent.
    newest: HashMap<Box<str>, u64>,
    bytes: usize,
    /// That were forgotten for want of room.
    pub(super) forgotten: u64,
    /// All up to here was taken in.
    pub(super) cursor: u64,
}

impl Index {
    #[cfg(test)]
    pub(super) fn with(bounds: Bounds) -> Self {
        Self {
            bounds,
            ..Self::default()
        }
    }

    /// How many there are, and how many of them are open.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.by_id.len(), self.order.range((true, 0)..).count())
    }

    pub(super) fn find(&self, id: &str) -> Option<&Record> {
        self.records[*self.by_id.get(id)?].as_ref()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().flatten()
    }

    /// Those that are open, in the order of when they were told of.
    pub(super) fn open(&self) -> impl Iterator<Item = &Record> {
        let open = self.order.range((true, 0)..);
        open.filter_map(|(_, slot)| self.records[*slot].as_ref())
    }

    /// Takes in the next event of the log.
    pub(super) fn take_in(&mut self, event: &v1::Event) {
        let own = event.id.as_ref().is_some_and(|id| id.node == COLLECTOR);
        match (&event.triage, &event.action) {
            (Some(triage), _) if own => {
                self.change(&triage.anomaly_id, |record, names| {
                    record.triage(triage, event.cursor, names);
                });
            }
            (_, Some(action)) => self.act(event, action),
            _ if event.detector == CONTAINMENT || event.detector == TRIAGE => {}
            _ => {
                if !own {
                    self.supersede(event);
                }
                self.tell(event);
                for part in &event.correlated {
                    let into = &event.anomaly_id;
                    self.change(part, |record, _| {
                        record.into.get_or_insert_with(|| into.as_str().into());
                    });
                }
                self.make_room();
            }
        }
    }

    /// Retention removed all up to the cursor.
    pub(super) fn remove_through(&mut self, horizon: u64) {
        for open in [false, true] {
            while let Some((&(_, cursor), &slot)) =
                self.order.range((open, 0)..=(open, horizon)).next()
                && cursor <= horizon
            {
                self.remove((open, cursor), slot);
            }
        }
    }

    fn tell(&mut self, event: &v1::Event) {
        let known = self.by_id.contains_key(event.anomaly_id.as_str());
        let superseded = self.is_superseded(event);
        if known {
            self.change(&event.anomaly_id, |record, names| {
                record.tell(event, names);
                if superseded {
                    record.end(record.updated_at);
                }
            });
        } else {
            let mut record = Record::new(event, &mut self.names);
            if superseded {
                record.end(record.updated_at);
            }
            self.insert(record);
        }
    }

    fn insert(&mut self, record: Record) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.records.push(None);
            self.records.len() - 1
        });
        self.bytes += record.bytes();
        self.by_id.insert(Arc::clone(&record.id), slot);
        self.order.insert((record.is_open(), record.last()), slot);
        self.records[slot] = Some(record);
    }

    /// Changes the one of this id, if it is known.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Record, &mut Names)) {
        let Some(&slot) = self.by_id.get(id) else {
            return;
        };
        let Some(record) = self.records[slot].as_mut() else {
            return;
        };
        let (before, bytes) = ((record.is_open(), record.last()), record.bytes());
        change(record, &mut self.names);
        let after = (record.is_open(), record.last());
        self.bytes = self.bytes - bytes + record.bytes();
        if before != after {
            self.order.remove(&before);
            self.order.insert(after, slot);
        }
    }

    /// What was done is told of the anomaly that it answers, or of all that are open of the same pod.
    fn act(&mut self, event: &v1::Event, action: &v1::Action) {
        if !action.anomaly_id.is_empty() {
            return self.change(&action.anomaly_id, |record, _| record.act(event.cursor));
        }
        let source = event.source.as_ref().map_or(0, record::key);
        let of_pod = self.open().filter(|it| source != 0 && it.source == source);
        let ids: Vec<_> = of_pod.map(|it| Arc::clone(&it.id)).collect();
        for id in ids {
            self.change(&id, |record, _| record.act(event.cursor));
        }
    }

    /// An agent that starts anew knows nothing of what was open before, and closes none of it.
    fn supersede(&mut self, event: &v1::Event) {
        let Some(id) = &event.id else {
            return;
        };
        let newest = self.newest.get(id.node.as_str()).copied().unwrap_or(0);
        if id.epoch <= newest {
            return;
        }
        if self.newest.len() >= NODES && newest == 0 {
            self.newest.clear();
        }
        self.newest.insert(id.node.as_str().into(), id.epoch);
        let Some(node) = self.names.find(&id.node) else {
            return;
        };
        let at = event.raised_at.map_or(0, nanoseconds);
        let ended = self
            .open()
            .filter(|it| it.node == node && it.epoch < id.epoch);
        let ended: Vec<_> = ended.map(|it| Arc::clone(&it.id)).collect();
        for id in ended {
            self.change(&id, |record, _| record.end(at));
        }
    }

    fn is_superseded(&self, event: &v1::Event) -> bool {
        event.id.as_ref().is_some_and(|id| {
            let newest = self.newest.get(id.node.as_str());
            newest.is_some_and(|newest| id.epoch < *newest)
        })
    }

    fn make_room(&mut self) {
        while self.by_id.len() > self.bounds.anomalies || self.bytes > self.bounds.bytes {
            let Some((&key, &slot)) = self.order.first_key_value() else {
                return;
            };
            self.remove(key, slot);
            self.forgotten += 1;
        }
    }

    fn remove(&mut self, key: (bool, u64), slot: usize) {
        self.order.remove(&key);
        if let Some(record) = self.records[slot].take() {
            self.bytes -= record.bytes();
            self.by_id.remove(&record.id);
            record.release(&mut self.names);
            self.free.push(slot);
        }
    }
}

#[cfg(test)]
mod tests;
