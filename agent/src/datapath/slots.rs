//! Which interface has which slot.

use std::{
    collections::BTreeSet,
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release},
    },
};

use agent_common::{BUCKET_COUNT, BUCKETS_MAP, Bucket, SLOTS_MAP, Slot};
use detect::Subject;

use super::{
    mapped::{Mapped, MappedError},
    object::Programs,
    reset::reset,
};
use crate::whose::Whose;

/// Why an interface has no slot.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum SlotsError {
    /// All are taken.
    #[error("all {capacity} slots are taken: raise --slots")]
    Full {
        /// How many there are.
        capacity: u32,
    },
    /// The interface's bucket is full.
    #[error(
        "the bucket of interface index {ifindex} is full: too many watched interfaces have an index \
         that is the same modulo {BUCKET_COUNT}; re-create the interface"
    )]
    BucketFull {
        /// The interface.
        ifindex: u32,
    },
}

/// Assigns slots to interfaces; only user space writes these tables.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Mapped<Slot>,
    buckets: Mapped<Bucket>,
    free: Vec<u32>,
    epoch: u32,
}

impl Slots {
    pub(super) fn new(programs: &mut Programs) -> Result<Self, MappedError> {
        let slots = Mapped::<Slot>::new(programs, SLOTS_MAP)?;
        let buckets = Mapped::<Bucket>::new(programs, BUCKETS_MAP)?;
        let mut this = Self {
            slots,
            buckets,
            free: Vec::new(),
            epoch: 0,
        };
        let assigned: BTreeSet<u32> = this.assigned().map(|(slot, _)| slot).collect();
        let all = (0..this.capacity()).rev();
        this.free = all.filter(|slot| !assigned.contains(slot)).collect();
        let epochs = this.slots.elements().iter();
        let epochs = epochs.map(|slot| slot.epoch.load(Relaxed));
        this.epoch = epochs.max().unwrap_or(0) as u32;
        Ok(this)
    }

    /// The slots that interfaces have, also those of a former agent.
    pub(super) fn assigned(&self) -> impl Iterator<Item = (u32, Subject)> {
        taken(self.buckets.elements()).filter_map(|(ifindex, index)| {
            let slot = self.slots.elements().get(index as usize)?;
            let epoch = slot.epoch.load(Relaxed) as u32;
            Some((index, Subject { ifindex, epoch }))
        })
    }

    pub(super) fn capacity(&self) -> u32 {
        u32::try_from(self.slots.elements().len()).unwrap_or(u32::MAX)
    }

    pub(super) fn slot(&self, index: u32) -> &Slot {
        &self.slots.elements()[index as usize]
    }

    /// Whose a slot's counts are.
    pub(super) fn whose(&self, index: u32) -> Whose {
        match self.slot(index).uplink.load(Relaxed) {
            0 => Whose::Pod,
            _ => Whose::Node,
        }
    }

    /// A slot, word by word.
    pub(super) fn words(&self, index: u32) -> &[AtomicU64] {
        let each = size_of::<Slot>() / size_of::<AtomicU64>();
        &self.slots.words()[index as usize * each..][..each]
    }

    /// Prepares a slot, and then lets the programs see it.
    pub(super) fn assign(
        &mut self,
        ifindex: u32,
        whose: Whose,
    ) -> Result<(u32, Subject), SlotsError> {
        let epoch = self.epoch + 1;
        let subject = Subject { ifindex, epoch };
        let uplink = u64::from(whose == Whose::Node);
        let prepare = |slots: &Self, index| slots.slot(index).uplink.store(uplink, Relaxed);
        let index = self.assign_to(subject, prepare)?;
        Ok((index, subject))
    }

    /// The same for a subject that another table had; what that says of it is there before the programs look.
    pub(super) fn assign_to(
        &mut self,
        subject: Subject,
        prepare: impl FnOnce(&Self, u32),
    ) -> Result<u32, SlotsError> {
        let ifindex = subject.ifindex;
        let way = self
            .ways(ifindex)
            .iter()
            .position(|way| way.load(Relaxed) == 0);
        let way = way.ok_or(SlotsError::BucketFull { ifindex })?;
        let index = self.free.pop().ok_or_else(|| SlotsError::Full {
            capacity: self.capacity(),
        })?;
        self.begin_after(subject.epoch);
        reset(self.slot(index), subject);
        prepare(self, index);
        self.ways(ifindex)[way].store(Bucket::way(ifindex, index), Release);
        Ok(index)
    }

    /// Epochs up to this one were given already.
    pub(super) fn begin_after(&mut self, epoch: u32) {
        self.epoch = self.epoch.max(epoch);
    }

    /// Hides the slot from the programs, and frees it.
    pub(super) fn release(&mut self, index: u32, subject: Subject) {
        let word = Bucket::way(subject.ifindex, index);
        for way in self.ways(subject.ifindex) {
            if way.load(Relaxed) == word {
                way.store(0, Release);
            }
        }
        self.free.push(index);
    }

    fn ways(&self, ifindex: u32) -> &[AtomicU64] {
        ways(self.buckets.elements(), ifindex)
    }
}

/// Interfaces, and which slot each of them has.
pub(super) fn taken(buckets: &[Bucket]) -> impl Iterator<Item = (u32, u32)> {
    let words = buckets.iter().flat_map(|bucket| &bucket.ways);
    words.filter_map(|way| {
        let word = way.load(Relaxed);
        let ifindex = (word >> 32) as u32;
        Some((ifindex, Bucket::slot_of(word, ifindex)?))
    })
}

/// Where the slot of an interface is to be found.
pub(super) fn ways(buckets: &[Bucket], ifindex: u32) -> &[AtomicU64] {
    &buckets[(ifindex % BUCKET_COUNT) as usize].ways
}
