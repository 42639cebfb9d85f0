//! Appending: a group of events is on the disk as a whole, or not at all.

use super::{
    super::{
        disk::Failure,
        record::{Kind, Record},
        segment::Segment,
    },
    Chain, Entry, Journal, Repair,
};

impl Journal {
    /// Writes a group of events, and syncs them. When that fails none of them counts, and the next
    /// attempt begins with new segments: after a sync that failed, nobody knows what is in a file.
    pub(in super::super) fn append(&mut self, group: &[Entry]) -> Result<(), Failure> {
        self.repair()?;
        let before = self.chains.each_ref().map(|chain| chain.segments.clone());
        let written = self.write(group);
        match &written {
            Ok(()) => {
                let bytes: usize = group.iter().map(Entry::bytes).sum();
                self.merge_credit = self.merge_credit.saturating_sub(bytes as u64);
            }
            Err(_) => self.restore(before),
        }
        written
    }

    /// Puts right what could not be put right before, and writes what the ledger must say first.
    pub(in super::super) fn repair(&mut self) -> Result<(), Failure> {
        if self.ledger.is_dirty {
            let written = self.ledger.write(&*self.disk);
            written.map_err(|(failure, _)| failure)?;
        }
        if self.repairs.is_empty() && self.ledger.removing.is_empty() {
            return Ok(());
        }
        for name in &self.ledger.removing {
            let removed = self.disk.remove(name);
            removed.map_err(Failure::of("remove", name))?;
        }
        while let Some(repair) = self.repairs.last() {
            match repair {
                Repair::Truncate(name, length) => self
                    .disk
                    .truncate(name, *length)
                    .map_err(Failure::of("truncate", name))?,
                Repair::Remove(name) => self
                    .disk
                    .remove(name)
                    .map_err(Failure::of("remove", name))?,
            }
            self.repairs.pop();
        }
        self.sync_directory()?;
        self.ledger.removing.clear();
        Ok(())
    }

    pub(super) fn sync_directory(&self) -> Result<(), Failure> {
        let synced = self.disk.sync();
        synced.map_err(Failure::of("sync", "the directory"))
    }

    fn write(&mut self, group: &[Entry]) -> Result<(), Failure> {
        let mut created = false;
        for entry in group {
            let bytes = entry.bytes();
            let limit = self.limits.segment_bytes;
            let chain = &mut self.chains[entry.level.index()];
            let has_room = chain.output.is_some()
                && chain.segments.last().is_some_and(|last| {
                    last.epoch == entry.epoch && last.bytes + bytes as u64 <= limit
                });
            if !has_room {
                chain.seal()?;
                let segment = Segment::new(entry.level, entry.epoch, entry.sequence);
                let name = segment.name();
                let output = self.disk.create(&name);
                chain.output = Some(output.map_err(Failure::of("create", &name))?);
                chain.segments.push(segment);
                created = true;
            }
            chain.stage(entry, bytes);
        }
        for chain in &mut self.chains {
            chain.flush()?;
        }
        if created {
            self.sync_directory()?;
        }
        Ok(())
    }

    pub(super) fn restore(&mut self, before: [Vec<Segment>; 4]) {
        for (chain, before) in self.chains.iter_mut().zip(before) {
            for new in &chain.segments[before.len()..] {
                self.repairs.push(Repair::Remove(new.name()));
            }
            if let Some(last) = before.last()
                && chain.segments.get(before.len() - 1) != Some(last)
            {
                let repair = Repair::Truncate(last.name(), last.bytes);
                self.repairs.push(repair);
            }
            // A new segment for each, whether its own part went well or not.
            chain.output = None;
            chain.staged.clear();
            chain.segments = before;
        }
    }
}

impl Chain {
    fn stage(&mut self, entry: &Entry, bytes: usize) {
        let record = Record {
            kind: Kind::Event,
            epoch: entry.epoch,
            sequence: entry.sequence,
            payload: &entry.payload,
        };
        record.write(&mut self.staged);
        if let Some(last) = self.segments.last_mut() {
            last.add(entry.sequence, bytes, entry.raised);
        }
    }

    /// Ends the last segment, if it still gets events.
    pub(super) fn seal(&mut self) -> Result<(), Failure> {
        if self.output.is_some()
            && let Some(last) = self.segments.last_mut()
        {
            let staged = self.staged.len();
            last.seal(&mut self.staged);
            last.bytes += (self.staged.len() - staged) as u64;
            self.flush()?;
        }
        self.output = None;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let Some((output, last)) = self.output.as_mut().zip(self.segments.last()) else {
            return Ok(());
        };
        if !self.staged.is_empty() {
            let name = last.name();
            output
                .append(&self.staged)
                .map_err(Failure::of("write", &name))?;
            output.sync().map_err(Failure::of("sync", &name))?;
            self.staged.clear();
        }
        Ok(())
    }
}

impl Entry {
    /// That its record takes.
    pub(in super::super) fn bytes(&self) -> usize {
        Record::bytes(self.payload.len())
    }
}
