//! Reads the records of a segment one by one, past what is damaged.

use std::sync::Arc;

use super::{
    disk::{Disk, Failure},
    record::{HEADER_BYTES, Kind, MOST_PAYLOAD_BYTES, Parsed, parse},
    segment::Segment,
};

const CHUNK_BYTES: usize = 64 * 1024;

/// An event as it lies on the disk.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) sequence: u64,
    pub(super) payload: Vec<u8>,
    /// Where its record begins and ends.
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A position in a segment.
#[derive(Debug)]
pub(super) struct Reader {
    disk: Arc<dyn Disk>,
    name: String,
    epoch: u64,
    /// Sequences only rise.
    least: u64,
    /// Of the next record.
    offset: u64,
    /// Where the file, or the trust in it, ends.
    end: u64,
    buffer: Vec<u8>,
    /// Of the next record in the buffer.
    start: usize,
    /// Where each damaged record was.
    damaged: Vec<u64>,
    /// A record was begun, and is not there as a whole.
    is_torn: bool,
}

impl Reader {
    pub(super) fn new(disk: Arc<dyn Disk>, segment: &Segment, offset: u64) -> Self {
        Self {
            disk,
            name: segment.name(),
            epoch: segment.epoch,
            least: segment.start,
            offset,
            end: segment.bytes,
            buffer: Vec::new(),
            start: 0,
            damaged: Vec::new(),
            is_torn: false,
        }
    }

    /// The next event; none at the end, and where nothing can be read any more.
    pub(super) fn next(&mut self) -> Result<Option<Stored>, Failure> {
        loop {
            let (length, event) = match parse(&self.buffer[self.start..]) {
                Parsed::Record(record, length) => match record.kind {
                    Kind::Seal if record.epoch == self.epoch => {
                        return Ok(self.ended());
                    }
                    Kind::Event if record.epoch == self.epoch && record.sequence >= self.least => {
                        let event = (record.sequence, record.payload.to_vec());
                        (length, Some(event))
                    }
                    _ => (length, None),
                },
                Parsed::Damaged(length) => (length, None),
                Parsed::Absurd => {
                    self.damaged.push(self.offset);
                    return Ok(self.ended());
                }
                Parsed::Incomplete => {
                    if self.fill()? {
                        continue;
                    }
                    self.is_torn |= self.start < self.buffer.len();
                    return Ok(self.ended());
                }
            };
            if event.is_none() {
                self.damaged.push(self.offset);
            }
            self.start += length;
            self.offset += length as u64;
            if let Some((sequence, payload)) = event {
                self.least = sequence.saturating_add(1);
                return Ok(Some(Stored {
                    sequence,
                    payload,
                    start: self.offset - length as u64,
                    end: self.offset,
                }));
            }
        }
    }

    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Damaged records from `offset` on.
    pub(super) fn damaged_from(&self, offset: u64) -> u64 {
        let damaged = self.damaged.iter().filter(|at| **at >= offset).count();
        damaged as u64
    }

    pub(super) const fn is_torn(&self) -> bool {
        self.is_torn
    }

    fn ended(&mut self) -> Option<Stored> {
        self.end = self.offset;
        self.buffer.clear();
        self.start = 0;
        None
    }

    /// Reads on; whether there was more.
    fn fill(&mut self) -> Result<bool, Failure> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        let from = self.offset + held as u64;
        let most = (HEADER_BYTES + MOST_PAYLOAD_BYTES).saturating_sub(held);
        let left = usize::try_from(self.end.saturating_sub(from)).unwrap_or(usize::MAX);
        let wanted = CHUNK_BYTES.min(most).min(left);
        if wanted == 0 {
            return Ok(false);
        }
        self.buffer.resize(held + wanted, 0);
        let read = self
            .disk
            .read(&self.name, from, &mut self.buffer[held..])
            .map_err(Failure::of("read", &self.name));
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }
}
