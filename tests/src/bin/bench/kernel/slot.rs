//! The bytes of a watched interface's slot, read and put back between the rounds of a measurement.

use std::mem::offset_of;

use agent_common::{Class, Counter, ParseFailure, SLOTS_MAP, Slot};
use anyhow::{Context, Result, bail};
use aya::{
    maps::{Array, Map, MapData, MapInfo},
    programs::ProgramInfo,
};

const WORDS: usize = size_of::<Slot>() / 8;

/// All words of a slot.
pub(super) type Words = Box<[u64; WORDS]>;

/// The slot of a watched interface, by the system calls for maps.
pub(super) struct SlotMap {
    slots: Array<MapData, [u64; WORDS]>,
    index: u32,
}

impl SlotMap {
    /// The slot of interface `ifindex`, in the maps of a program that watches it.
    pub(super) fn of(program: &ProgramInfo, ifindex: u32) -> Result<Self> {
        let maps = program.map_ids()?.context("the kernel names no maps")?;
        for id in maps {
            if MapInfo::from_id(id)?.name_as_str() != Some(SLOTS_MAP) {
                continue;
            }
            let slots = Array::try_from(Map::Array(MapData::from_id(id)?))?;
            let index = (0..slots.len()).find(|index| {
                let words: Result<[u64; WORDS], _> = slots.get(index, 0);
                words.is_ok_and(|words| words[0] == u64::from(ifindex))
            });
            let index = index.with_context(|| format!("interface {ifindex} has no slot"))?;
            return Ok(Self { slots, index });
        }
        bail!("the program has no map {SLOTS_MAP}")
    }

    pub(super) fn read(&self) -> Result<Words> {
        Ok(Box::new(self.slots.get(&self.index, 0)?))
    }

    pub(super) fn write(&mut self, words: &Words) -> Result<()> {
        Ok(self.slots.set(self.index, **words, 0)?)
    }
}

/// What a slot counts, as far as it tells that a case was what it says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) initiated: [u64; Class::COUNT],
    pub(super) counters: [u64; Counter::COUNT],
    pub(super) failures: u64,
    pub(super) records: u64,
}

impl Counts {
    pub(super) fn of(words: &Words) -> Self {
        let failures = offset_of!(Slot, parse_failures) / 8;
        Self {
            initiated: part(words, offset_of!(Slot, initiated_packets)),
            counters: part(words, offset_of!(Slot, counters)),
            failures: words[failures..][..ParseFailure::COUNT].iter().sum(),
            records: words[offset_of!(Slot, records) / 8],
        }
    }

    pub(super) fn since(&self, before: &Self) -> Self {
        let mut since = *self;
        for (now, then) in since.initiated.iter_mut().zip(before.initiated) {
            *now -= then;
        }
        for (now, then) in since.counters.iter_mut().zip(before.counters) {
            *now -= then;
        }
        since.failures -= before.failures;
        since.records -= before.records;
        since
    }
}

fn part<const N: usize>(words: &Words, offset: usize) -> [u64; N] {
    std::array::from_fn(|index| words[offset / 8 + index])
}
