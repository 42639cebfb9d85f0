//! Room for what comes: first by merging, then by dropping the oldest of the lowest severity.

use std::io;

use super::{
    super::{disk::Failure, ledger::Position, loss::Loss},
    BLOCK_BYTES, Entry, Journal, charge,
};

impl Journal {
    /// Makes room for a group of events, and takes out of it what there is none for.
    ///
    /// What goes is written down before it goes.
    pub(in super::super) fn make_room(&mut self, group: &mut Vec<Entry>) -> Result<(), Failure> {
        if self.has_room(group) {
            return Ok(());
        }
        self.repair()?;
        if self.merge_credit == 0 {
            self.merge_credit = self.limits.capacity_bytes / 4;
            self.merge()?;
        }
        if self.has_room(group) {
            return Ok(());
        }
        let before = (
            self.ledger.clone(),
            self.chains.each_ref().map(|chain| chain.segments.clone()),
            group.clone(),
        );
        self.choose(group);
        let written = if self.has_room(group) {
            self.ledger.write(&*self.disk)
        } else {
            // The collector may hold what is left: it is let go of nowhere, and waits where it is.
            let full = io::ErrorKind::StorageFull.into();
            let failure = Failure::of("make room for events", "that may have been sent")(full);
            Err((failure, false))
        };
        match written {
            Ok(()) => self.repair(),
            // What it says may already be so: it is written again, and done, before all else.
            Err((failure, true)) => Err(failure),
            Err((failure, false)) => {
                (self.ledger, *group) = (before.0, before.2);
                for (chain, segments) in self.chains.iter_mut().zip(before.1) {
                    chain.segments = segments;
                }
                Err(failure)
            }
        }
    }

    /// Room for one segment is kept free, to rewrite one.
    fn has_room(&self, group: &[Entry]) -> bool {
        // Each severity may begin a segment, and end one.
        let begun = 2 * self.chains.len() as u64 * BLOCK_BYTES;
        let group: usize = group.iter().map(Entry::bytes).sum();
        let kept_free = charge(self.limits.segment_bytes);
        self.bytes() + group as u64 + begun + kept_free <= self.limits.capacity_bytes
    }

    fn choose(&mut self, group: &mut Vec<Entry>) {
        while !self.has_room(group) {
            let unsent = |entry: &Entry| Position::at(entry.epoch, entry.sequence) > self.sent;
            let lowest = group.iter().map(|entry| entry.level).min();
            let lowest_unsent = group.iter().filter(|entry| unsent(entry));
            let lowest_unsent = lowest_unsent.map(|entry| entry.level).min();
            let old = self.chains.iter().enumerate().find_map(|(level, chain)| {
                let oldest = chain.segments.iter().position(|old| self.is_unsent(old));
                oldest.map(|at| (level, at))
            });
            match (old, lowest) {
                (Some((level, at)), Some(lowest)) if level <= lowest.index() => {
                    let chain = &mut self.chains[level];
                    let gone = chain.segments.remove(at);
                    if at == chain.segments.len() {
                        chain.output = None;
                    }
                    self.ledger.add(gone.epoch, gone.loss());
                    self.ledger.removing.push(gone.name());
                }
                _ => {
                    let at = group
                        .iter()
                        .position(|entry| unsent(entry) && Some(entry.level) == lowest_unsent);
                    let Some(at) = at else { break };
                    let gone = group.remove(at);
                    let loss = Loss::dropped(gone.level, gone.sequence, gone.raised);
                    self.ledger.add(gone.epoch, loss);
                }
            }
        }
    }
}
