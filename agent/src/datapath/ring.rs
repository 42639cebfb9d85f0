//! The ring of records, read behind the programs.

use std::{
    path::Path,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use agent_common::{CURSORS_MAP, RECORDS_MAP, Record, RingCursors, ring_index, ring_sequence};

use super::{
    mapped::{Mapped, MappedError},
    object::Programs,
};

/// A record, as both sides share it.
pub(super) type Words = [AtomicU64; Record::WORDS];

/// The ring of records.
#[derive(Debug)]
pub(super) struct Ring {
    records: Mapped<Words>,
    cursors: Mapped<RingCursors>,
}

impl Ring {
    pub(super) fn new(programs: &mut Programs) -> Result<Self, MappedError> {
        Ok(Self {
            records: Mapped::new(programs, RECORDS_MAP)?,
            cursors: Mapped::new(programs, CURSORS_MAP)?,
        })
    }

    /// That of an agent whose records are as ours.
    pub(super) fn pinned(maps: &Path) -> Result<Self, MappedError> {
        Ok(Self {
            records: Mapped::pinned(&maps.join(RECORDS_MAP), RECORDS_MAP)?,
            cursors: Mapped::pinned(&maps.join(CURSORS_MAP), CURSORS_MAP)?,
        })
    }

    /// Takes the next record, its sequence cleared, unless none is whole yet.
    pub(super) fn next(&mut self) -> Option<Record> {
        let [cursors] = self.cursors.elements() else {
            return None;
        };
        let position = cursors.read.load(Relaxed);
        let words = self.records.elements().get(ring_index(position) as usize)?;
        // The last word has the sequence in it, which is written after everything else.
        let last = words.last()?.load(Acquire);
        let mut bytes = [0; 8 * Record::WORDS];
        let (chunks, _) = bytes.as_chunks_mut();
        for (chunk, word) in chunks.iter_mut().zip(words) {
            *chunk = word.load(Relaxed).to_ne_bytes();
        }
        let record = Record::from_bytes(&bytes);
        let whole = (last >> 32) as u32 == ring_sequence(position);
        if whole {
            cursors.read.store(position.wrapping_add(1), Release);
        }
        whole.then_some(Record {
            sequence: 0,
            ..record
        })
    }
}
