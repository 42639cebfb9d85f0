//! All that is on the disk: a chain of segments for each severity, and the ledger.

mod append;
mod batch;
mod merge;
mod open;
mod room;
mod settle;

use std::{collections::VecDeque, sync::Arc};

use api::v1;

use super::{
    disk::{Disk, Output},
    ledger::{Ledger, Position},
    loss::{Level, Moment},
    segment::Segment,
};

/// In a batch, as ingest.proto bounds it.
pub(super) const MOST_ITEMS: usize = 256;
/// What disks hand out; a file takes no less.
const BLOCK_BYTES: u64 = 4096;
const SEGMENTS: u64 = 64;
/// Some full events.
const LEAST_SEGMENT_BYTES: u64 = 64 * 1024;
/// A gap takes little more than a hundred.
const BYTES_PER_GAP: u64 = 1024;
const MOST_GAPS: u64 = 4096;

/// How much may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) capacity_bytes: u64,
    pub(super) segment_bytes: u64,
}

impl Limits {
    pub(super) fn of(capacity_bytes: u64) -> Self {
        Self {
            capacity_bytes,
            segment_bytes: (capacity_bytes / SEGMENTS).max(LEAST_SEGMENT_BYTES),
        }
    }

    fn most_gaps(&self) -> usize {
        (self.capacity_bytes / BYTES_PER_GAP).clamp(16, MOST_GAPS) as usize
    }
}

/// An event on its way to the disk.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) epoch: u64,
    pub(super) sequence: u64,
    pub(super) level: Level,
    pub(super) raised: Option<Moment>,
    pub(super) payload: Vec<u8>,
}

/// Events and gaps in sequence order, and up to where they reach.
#[derive(Debug, Default)]
pub(in super::super) struct Batch {
    pub(in super::super) events: Vec<v1::Event>,
    pub(in super::super) gaps: Vec<v1::Gap>,
    pub(in super::super) last: u64,
}

impl Batch {
    pub(in super::super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.gaps.is_empty()
    }

    fn len(&self) -> usize {
        self.events.len() + self.gaps.len()
    }
}

/// Segments of one severity, by epoch and sequence.
#[derive(Debug, Default)]
struct Chain {
    segments: Vec<Segment>,
    /// The end of the last segment, while it gets events.
    output: Option<Box<dyn Output>>,
    /// For that end, and not yet written.
    staged: Vec<u8>,
    hint: Option<Hint>,
}

/// Behind which record of which segment the next batch begins.
#[derive(Clone, Debug)]
struct Hint {
    name: String,
    offset: u64,
    after: Position,
}

/// What is to be put right before anything else is written.
#[derive(Debug, Eq, PartialEq)]
enum Repair {
    Truncate(String, u64),
    Remove(String),
}

#[derive(Debug)]
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    limits: Limits,
    chains: [Chain; 4],
    pub(super) ledger: Ledger,
    /// Up to where events were handed out that the collector may hold.
    sent: Position,
    /// What was handed out: its sequence, and its severity if it was an event.
    handed: VecDeque<(u64, Option<Level>)>,
    repairs: Vec<Repair>,
    damaged: u64,
    /// Bytes that must be appended before merging is worth another try.
    merge_credit: u64,
}

impl Journal {
    /// One with nothing in it, whatever is on the disk.
    pub(super) fn empty(disk: Arc<dyn Disk>, limits: Limits) -> Self {
        Self {
            disk,
            limits,
            chains: Default::default(),
            ledger: Ledger::new(limits.most_gaps()),
            sent: Position::default(),
            handed: VecDeque::new(),
            repairs: Vec::new(),
            damaged: 0,
            merge_credit: 0,
        }
    }

    /// Takes over what another one has that never was on a disk.
    pub(super) fn succeed(&mut self, before: Self) {
        self.ledger.adopt(before.ledger);
        self.handed = before.handed;
        self.sent = self.sent.max(before.sent);
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> u64 {
        let segments = self.segments().map(|segment| charge(segment.bytes));
        segments.sum::<u64>() + charge(self.ledger.size())
    }

    /// Events that the collector does not hold.
    pub(super) fn events(&self) -> u64 {
        let events = self.segments().map(Segment::pending);
        events.fold(0, u64::saturating_add)
    }

    /// Events and gaps that the collector does not hold.
    pub(super) fn pending(&self) -> u64 {
        let gaps = self.ledger.untold().count() as u64;
        self.events().saturating_add(gaps)
    }

    /// Up to where the collector may hold what it has not acknowledged.
    pub(super) const fn sent(&self) -> Position {
        self.sent
    }

    /// Records that were damaged, and skipped.
    pub(super) const fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The epoch that is to be delivered next.
    pub(super) fn oldest_epoch(&self) -> Option<u64> {
        let events = self.segments().filter(|segment| segment.pending() > 0);
        let gaps = self.ledger.untold().map(|gap| gap.epoch);
        events.map(|segment| segment.epoch).chain(gaps).min()
    }

    pub(super) fn newest_epoch(&self) -> u64 {
        let segments = self.segments().map(|segment| segment.epoch);
        segments
            .chain([self.ledger.newest_epoch()])
            .max()
            .unwrap_or(0)
    }

    fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.chains.iter().flat_map(|chain| &chain.segments)
    }

    /// Whether a segment may go: the collector has none of it.
    fn is_unsent(&self, segment: &Segment) -> bool {
        Position::at(segment.epoch, segment.first) > self.sent
    }
}

/// Bytes that a file takes on a disk.
const fn charge(bytes: u64) -> u64 {
    bytes.next_multiple_of(BLOCK_BYTES)
}
