//! Decides where events are: on the disk, or in memory while the disk takes none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{encoding, v1};

use super::{
    disk::{Disk, Failure, Nowhere},
    journal::{Batch, Entry, Journal, Limits, MOST_ITEMS},
    ledger::{Position, Tally},
    loss::{Level, moment},
    memory::{Memory, sequence},
};

#[derive(Debug)]
pub(super) struct Keeper {
    disk: Arc<dyn Disk>,
    limits: Limits,
    journal: Journal,
    is_open: bool,
    /// Why the disk takes nothing.
    trouble: Option<String>,
    /// The last event that is on the disk.
    spooled: u64,
    failures: u64,
    acknowledged: u64,
}

impl Keeper {
    /// Opens what is on a disk. One that cannot be read now is tried again later.
    pub(super) fn open(disk: Arc<dyn Disk>, limits: Limits, memory: &Mutex<Memory>) -> Self {
        let mut keeper = Self::nowhere(limits, String::new());
        keeper.disk = disk;
        keeper.trouble = None;
        if let Err(failure) = keeper.open_journal(memory) {
            keeper.fail(memory, &failure);
        }
        keeper
    }

    /// Keeps all in memory, and says why.
    pub(super) fn without_disk(limits: Limits, why: String, memory: &Mutex<Memory>) -> Self {
        lock(memory).mark_volatile();
        Self::nowhere(limits, why)
    }

    fn nowhere(limits: Limits, why: String) -> Self {
        let disk = Nowhere::disk();
        Self {
            disk: Arc::clone(&disk),
            limits,
            journal: Journal::empty(disk, limits),
            is_open: false,
            trouble: Some(why),
            spooled: 0,
            failures: 0,
            acknowledged: 0,
        }
    }

    fn open_journal(&mut self, memory: &Mutex<Memory>) -> Result<(), Failure> {
        let mut journal = Journal::open(Arc::clone(&self.disk), self.limits)?;
        let before = std::mem::replace(
            &mut self.journal,
            Journal::empty(Nowhere::disk(), self.limits),
        );
        journal.succeed(before);
        self.journal = journal;
        self.is_open = true;
        lock(memory).wait_elsewhere(self.journal.pending());
        Ok(())
    }

    /// Moves the first events from memory to the disk. Whether the disk took them.
    pub(super) fn store(&mut self, memory: &Mutex<Memory>) -> bool {
        match self.try_store(memory) {
            Ok(()) => {
                lock(memory).mark_durable();
                self.trouble = None;
                true
            }
            Err(failure) => {
                self.fail(memory, &failure);
                false
            }
        }
    }

    fn try_store(&mut self, memory: &Mutex<Memory>) -> Result<(), Failure> {
        if !self.is_open {
            self.open_journal(memory)?;
        }
        let group = {
            let mut memory = lock(memory);
            self.absorb(&mut memory);
            memory.take(self.limits.segment_bytes)
        };
        if self.trouble.is_some() {
            // Something must be written to know that something can be.
            self.journal.ledger.is_dirty = true;
            self.journal.repair()?;
        }
        let Some(last) = group.last().map(|held| sequence(&held.event)) else {
            return Ok(());
        };
        let mut entries: Vec<_> = group
            .iter()
            .map(|held| Entry {
                epoch: held.epoch(),
                sequence: sequence(&held.event),
                level: Level::of(&held.event),
                raised: moment(&held.event),
                payload: encoding::encode(&held.event()).into(),
            })
            .collect();
        let made = self.journal.make_room(&mut entries);
        // What there is no room for is written down, or in the ledger's next version.
        let left: Vec<_> = entries.iter().map(|entry| entry.sequence).collect();
        let gone = group.iter().map(|held| sequence(&held.event));
        let gone = gone.filter(|sequence| left.binary_search(sequence).is_err());
        self.change_while_writing(memory, |memory| memory.remove(gone));
        let written = made.and_then(|()| self.journal.append(&entries));
        self.change(memory, |memory| {
            if written.is_ok() {
                memory.remove(left);
            }
        });
        written?;
        self.spooled = last;
        Ok(())
    }

    /// What follows a position. Nothing, too, when it cannot be read now: then false comes with it.
    pub(super) fn batch(&mut self, memory: &Mutex<Memory>, after: Position) -> (Batch, bool) {
        let unspooled = {
            let mut memory = lock(memory);
            self.absorb(&mut memory);
            match self.trouble {
                Some(_) => memory.hold(after, MOST_ITEMS),
                None => Vec::new(),
            }
        };
        let batch = self.journal.batch(after.epoch, after.sequence, &unspooled);
        self.change(memory, |_| {});
        match batch {
            Ok(batch) => (batch, true),
            Err(failure) => {
                self.failures += 1;
                tracing::warn!(%failure, "cannot read events back; trying again");
                (Batch::default(), false)
            }
        }
    }

    pub(super) fn acknowledge(&mut self, memory: &Mutex<Memory>, held: Position) {
        self.settle(memory, held, Journal::acknowledge);
    }

    pub(super) fn resume(&mut self, memory: &Mutex<Memory>, held: Position) {
        self.settle(memory, held, Journal::resume);
    }

    fn settle(&mut self, memory: &Mutex<Memory>, held: Position, step: fn(&mut Journal, u64, u64)) {
        let before = self.journal.events();
        step(&mut self.journal, held.epoch, held.sequence);
        let after = self.journal.events();
        let mut safe = before.saturating_sub(after);
        self.change(memory, |memory| safe += memory.acknowledge(held));
        self.acknowledged += safe;
    }

    /// Ends all segments; the disk may be somebody else's afterwards.
    pub(super) fn close(&mut self, memory: &Mutex<Memory>) {
        if self.is_open
            && self.store(memory)
            && let Err(failure) = self.journal.close()
        {
            self.fail(memory, &failure);
        }
    }

    /// Lets `step` change what is in memory, and tells it what is on the disk at the same time.
    fn change(&self, memory: &Mutex<Memory>, step: impl FnOnce(&mut Memory)) {
        self.change_while_writing(memory, |memory| {
            step(memory);
            memory.release(self.journal.sent());
        });
    }

    fn change_while_writing(&self, memory: &Mutex<Memory>, step: impl FnOnce(&mut Memory)) {
        let mut memory = lock(memory);
        step(&mut memory);
        memory.wait_elsewhere(self.journal.pending());
    }

    fn absorb(&mut self, memory: &mut Memory) {
        if let Some((epoch, loss)) = memory.take_loss() {
            self.journal.ledger.add(epoch, loss);
            memory.wait_elsewhere(self.journal.pending());
        }
    }

    fn fail(&mut self, memory: &Mutex<Memory>, failure: &Failure) {
        self.failures += 1;
        let mut memory = lock(memory);
        memory.mark_volatile();
        memory.release(self.journal.sent());
        drop(memory);
        let said = failure.to_string();
        if self.trouble.as_ref() != Some(&said) {
            tracing::warn!(
                trouble = said,
                "events are kept in memory alone until the disk takes them again; see to its space, its \
                 mount and its health"
            );
            self.trouble = Some(said);
        }
    }

    pub(super) const fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    pub(super) const fn spooled(&self) -> u64 {
        self.spooled
    }

    pub(super) const fn failures(&self) -> u64 {
        self.failures
    }

    pub(super) const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(super) const fn tally(&self) -> Tally {
        self.journal.ledger.tally
    }

    /// For the node's status.
    pub(super) fn status(&self, memory: &Mutex<Memory>) -> v1::Spool {
        let durability = match self.trouble {
            Some(_) => v1::Durability::Volatile,
            None => v1::Durability::Durable,
        };
        v1::Spool {
            durability: durability.into(),
            reason: self.trouble.clone().unwrap_or_default(),
            bytes: self.journal.bytes() + lock(memory).bytes(),
            capacity_bytes: self.limits.capacity_bytes,
            damaged_records: self.journal.damaged(),
        }
    }
}

pub(super) fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    // Nothing panics while it holds the lock.
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}
