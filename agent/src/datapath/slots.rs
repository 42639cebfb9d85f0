//! Which interface has which slot.

use std::sync::atomic::Ordering::{Relaxed, Release};

use agent_common::{BUCKET_COUNT, BUCKETS_MAP, Bucket, SLOTS_MAP, Slot};
use detect::Subject;

use super::{
    drain,
    mapped::{Mapped, MappedError},
    object::Programs,
};

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
        let free = (0..).take(slots.elements().len()).collect::<Vec<u32>>();
        Ok(Self {
            slots,
            buckets,
            free: free.into_iter().rev().collect(),
            epoch: 0,
        })
    }

    pub(super) fn capacity(&self) -> u32 {
        u32::try_from(self.slots.elements().len()).unwrap_or(u32::MAX)
    }

    pub(super) fn slot(&self, index: u32) -> &Slot {
        &self.slots.elements()[index as usize]
    }

    /// Prepares a slot, and then lets the programs see it.
    pub(super) fn assign(&mut self, ifindex: u32) -> Result<(u32, Subject), SlotsError> {
        let way = self
            .ways(ifindex)
            .iter()
            .position(|way| way.load(Relaxed) == 0);
        let way = way.ok_or(SlotsError::BucketFull { ifindex })?;
        let index = self.free.pop().ok_or_else(|| SlotsError::Full {
            capacity: self.capacity(),
        })?;
        self.epoch += 1;
        let subject = Subject {
            ifindex,
            epoch: self.epoch,
        };
        drain::reset(self.slot(index), subject);
        self.ways(ifindex)[way].store(Bucket::way(ifindex, index), Release);
        Ok((index, subject))
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

    fn ways(&self, ifindex: u32) -> &[std::sync::atomic::AtomicU64] {
        &self.buckets.elements()[(ifindex % BUCKET_COUNT) as usize].ways
    }
}
