//! Merging: of the updates of one anomaly that nobody was sent, the latest says all.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use api::{encoding, v1};

use super::{
    super::{
        disk::Failure,
        loss::{Loss, moment},
        reader::{Reader, Stored},
        record::{Kind, Record},
        segment::Segment,
    },
    Journal, Repair,
};

/// What a segment must shrink by at least to be rewritten: one part of so many.
const WORTHWHILE_PART: u64 = 4;

/// An epoch and a digest of the name of an anomaly: two that share it lose an update in 2^64.
type Anomaly = (u64, u64);

type Rewritten = (Option<Segment>, Vec<u8>, Vec<Loss>);

/// An update on the disk.
struct Update {
    anomaly: Anomaly,
    sequence: u64,
    bytes: u64,
}

impl Journal {
    /// Rewrites segments that shrink by a good part. What cannot be read or written stays as it is.
    pub(super) fn merge(&mut self) -> Result<(), Failure> {
        let mut latest: HashMap<Anomaly, u64> = HashMap::new();
        let mut found = Vec::new();
        for (level, chain) in self.chains.iter().enumerate() {
            let ended = chain.segments.len() - usize::from(chain.output.is_some());
            for segment in chain.segments[..ended].iter().filter(|s| self.is_unsent(s)) {
                let Ok(updates) = self.updates(segment) else {
                    return Ok(());
                };
                for update in &updates {
                    let last = latest.entry(update.anomaly).or_default();
                    *last = (*last).max(update.sequence);
                }
                found.push((level, segment.name(), updates));
            }
        }
        for (level, name, mut updates) in found {
            updates.retain(|update| latest.get(&update.anomaly) != Some(&update.sequence));
            let shrinks = updates.iter().map(|update| update.bytes).sum::<u64>();
            let chain = &self.chains[level];
            let at = chain.segments.iter().position(|old| old.name() == name);
            if let Some(at) = at
                && shrinks * WORTHWHILE_PART >= chain.segments[at].bytes
                && !self.replace(level, at, &updates)?
            {
                return Ok(());
            }
        }
        Ok(())
    }

    fn updates(&self, segment: &Segment) -> Result<Vec<Update>, Failure> {
        let mut updates = Vec::new();
        let mut reader = Reader::new(Arc::clone(&self.disk), segment, 0);
        while let Some(stored) = reader.next()? {
            if let Some(event) = decode(&stored)
                && event.state() == v1::State::Updated
            {
                let mut hasher = DefaultHasher::new();
                event.anomaly_id.hash(&mut hasher);
                updates.push(Update {
                    anomaly: (segment.epoch, hasher.finish()),
                    sequence: stored.sequence,
                    bytes: Record::bytes(stored.payload.len()) as u64,
                });
            }
        }
        Ok(updates)
    }

    /// Puts another segment in the place of one, or none if nothing is left; whether that worked out.
    fn replace(&mut self, level: usize, at: usize, without: &[Update]) -> Result<bool, Failure> {
        let old = self.chains[level].segments[at].clone();
        let Ok(Some((new, bytes, losses))) = self.rewritten(&old, without) else {
            return Ok(true);
        };
        if let Some(new) = &new
            && self.write_whole(new, &bytes).is_err()
        {
            self.repairs.push(Repair::Remove(new.name()));
            return Ok(false);
        }
        let ledger = self.ledger.clone();
        for loss in losses {
            self.ledger.add(old.epoch, loss);
        }
        self.ledger.removing.push(old.name());
        match self.ledger.write(&*self.disk) {
            Err((_, false)) => {
                self.ledger = ledger;
                let new = new.map(|new| Repair::Remove(new.name()));
                self.repairs.extend(new);
                Ok(false)
            }
            written => {
                self.chains[level].segments.splice(at..=at, new);
                written.map_err(|(failure, _)| failure)?;
                self.repair()?;
                Ok(true)
            }
        }
    }

    /// The segment without some updates, its bytes, and what goes; nothing when it is damaged.
    fn rewritten(&self, old: &Segment, without: &[Update]) -> Result<Option<Rewritten>, Failure> {
        let mut new = Segment::new(old.level, old.epoch, old.start);
        new.generation = old.generation + 1;
        let (mut bytes, mut losses) = (Vec::new(), Vec::new());
        let mut reader = Reader::new(Arc::clone(&self.disk), old, 0);
        while let Some(stored) = reader.next()? {
            let raised = decode(&stored).as_ref().and_then(moment);
            let gone = without.binary_search_by_key(&stored.sequence, |update| update.sequence);
            if gone.is_ok() {
                losses.push(Loss::merged(stored.sequence, raised));
                continue;
            }
            let record = Record {
                kind: Kind::Event,
                epoch: old.epoch,
                sequence: stored.sequence,
                payload: &stored.payload,
            };
            record.write(&mut bytes);
            new.add(stored.sequence, Record::bytes(stored.payload.len()), raised);
        }
        if reader.damaged_from(0) > 0 || new.events + losses.len() as u64 != old.events {
            // Whoever reads it to send it tells what is missing.
            return Ok(None);
        }
        if new.events > 0 {
            let events = bytes.len();
            new.seal(&mut bytes);
            new.bytes += (bytes.len() - events) as u64;
        }
        Ok(Some(((new.events > 0).then_some(new), bytes, losses)))
    }

    fn write_whole(&self, segment: &Segment, bytes: &[u8]) -> Result<(), Failure> {
        let name = segment.name();
        let mut output = self
            .disk
            .create(&name)
            .map_err(Failure::of("create", &name))?;
        output.append(bytes).map_err(Failure::of("write", &name))?;
        output.sync().map_err(Failure::of("sync", &name))?;
        self.sync_directory()
    }
}

fn decode(stored: &Stored) -> Option<v1::Event> {
    encoding::decode(&stored.payload).ok()
}
