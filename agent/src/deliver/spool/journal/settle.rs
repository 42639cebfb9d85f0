//! What the collector says it holds goes.

use std::sync::Arc;

use super::{
    super::{disk::Failure, ledger::Position, reader::Reader},
    Chain, Journal, Repair,
};

impl Journal {
    /// The collector holds all of an epoch up to a sequence, and answers what was handed out.
    pub(in super::super) fn acknowledge(&mut self, epoch: u64, sequence: u64) {
        while let Some((handed, level)) = self.handed.front().copied() {
            if handed > sequence {
                break;
            }
            self.handed.pop_front();
            let Some(level) = level else { continue };
            let mut segments = self.chains[level.index()].segments.iter_mut();
            let holds = segments.find(|segment| {
                segment.epoch == epoch && (segment.first..=segment.last).contains(&handed)
            });
            if let Some(segment) = holds {
                segment.settled += 1;
            }
        }
        self.settle(epoch, sequence);
    }

    /// A stream begins, and the collector holds all of an epoch up to a sequence: of the rest it has
    /// nothing.
    pub(in super::super) fn resume(&mut self, epoch: u64, sequence: u64) {
        self.handed.clear();
        self.sent = Position::at(epoch, sequence);
        for index in 0..self.chains.len() {
            for at in 0..self.chains[index].segments.len() {
                let segment = &self.chains[index].segments[at];
                if segment.epoch == epoch && segment.last > sequence {
                    // What cannot be counted now is counted as waiting.
                    let held = if segment.first > sequence {
                        0
                    } else {
                        self.count(index, at, sequence).unwrap_or(0)
                    };
                    self.chains[index].segments[at].settled = held;
                }
            }
        }
        self.settle(epoch, sequence);
    }

    fn count(&self, index: usize, at: usize, sequence: u64) -> Result<u64, Failure> {
        let segment = &self.chains[index].segments[at];
        let mut reader = Reader::new(Arc::clone(&self.disk), segment, 0);
        let mut events = 0;
        while let Some(stored) = reader.next()? {
            if stored.sequence > sequence {
                break;
            }
            events += 1;
        }
        Ok(events)
    }

    fn settle(&mut self, epoch: u64, sequence: u64) {
        let settled = self.ledger.settle(epoch, sequence);
        let mut gone = Vec::new();
        for chain in &mut self.chains {
            let active = chain.output.is_some().then(|| chain.segments.len() - 1);
            let mut at = 0;
            chain.segments.retain_mut(|segment| {
                let is_active = active == Some(at);
                at += 1;
                if segment.epoch != epoch || segment.last > settled {
                    return true;
                }
                segment.settled = segment.events;
                if !is_active {
                    gone.push(segment.name());
                }
                is_active
            });
        }
        self.let_go(gone);
        let oldest = self.oldest_epoch().unwrap_or(epoch);
        self.ledger.forget_before(oldest);
    }

    /// Ends all segments, and removes those of which the collector holds everything.
    pub(in super::super) fn close(&mut self) -> Result<(), Failure> {
        self.repair()?;
        let before = self.chains.each_ref().map(|chain| chain.segments.clone());
        for chain in &mut self.chains {
            if chain
                .segments
                .last()
                .is_some_and(|last| last.pending() == 0)
            {
                chain.output = None;
            }
        }
        let sealed = self.chains.iter_mut().try_for_each(Chain::seal);
        if sealed.is_err() {
            self.restore(before);
            return sealed;
        }
        let mut gone = Vec::new();
        for chain in &mut self.chains {
            chain.segments.retain(|segment| {
                if segment.pending() == 0 {
                    gone.push(segment.name());
                }
                segment.pending() > 0
            });
        }
        self.let_go(gone);
        Ok(())
    }

    /// Removes segments that hold nothing for anybody. One that cannot be removed now is later; should
    /// it still be there when the agent starts again, the collector says that it has it.
    fn let_go(&mut self, names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        let disk = Arc::clone(&self.disk);
        let (removed, left): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|name| disk.remove(name).is_ok());
        self.repairs.extend(left.into_iter().map(Repair::Remove));
        if !removed.is_empty() && self.sync_directory().is_err() {
            // Removed again, and synced with that, before anything else is written.
            self.repairs.extend(removed.into_iter().map(Repair::Remove));
        }
    }
}
