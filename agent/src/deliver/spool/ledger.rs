//! What is kept of the spool besides events: gaps, what may have been sent, and which segments are to go.

use super::{
    disk::{Disk, Failure},
    loss::{Level, Loss},
    record::{HEADER_BYTES, Kind, MOST_PAYLOAD_BYTES, Parsed, Record, parse},
};
use api::v1;

pub(super) const NAME: &str = "ledger";
/// It is written here, and takes the other's place as a whole.
pub(super) const DRAFT: &str = "ledger.draft";

/// An epoch, and a sequence in it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(in super::super) struct Position {
    pub(in super::super) epoch: u64,
    pub(in super::super) sequence: u64,
}

impl Position {
    pub(in super::super) const fn at(epoch: u64, sequence: u64) -> Self {
        Self { epoch, sequence }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Gap {
    pub(super) epoch: u64,
    pub(super) loss: Loss,
    /// Every event in between is missing, and nobody let go of it on purpose.
    pub(super) is_hole: bool,
    /// It grows until it is handed out, and never in another process.
    pub(super) is_open: bool,
    /// The collector holds it; it is kept because it still tells why events are missing.
    pub(super) is_told: bool,
}

impl Gap {
    pub(super) fn message(&self) -> v1::Gap {
        let reason = if self.is_hole {
            "damaged on disk, or lost before it was on disk"
        } else {
            "the collector was away until the agent had no room for more"
        };
        self.loss.gap(self.epoch, reason)
    }

    fn position(&self) -> Position {
        Position::at(self.epoch, self.loss.first)
    }
}

/// What has been let go of since the agent started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) dropped: [u64; 4],
    pub(super) merged_updates: u64,
    pub(super) missing: u64,
    pub(super) gaps: u64,
    /// Gaps of which there were too many.
    pub(super) gaps_dropped: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// By epoch and first sequence.
    gaps: Vec<Gap>,
    most_gaps: usize,
    /// What is beyond it was never sent.
    pub(super) sent: Position,
    pub(super) removing: Vec<String>,
    /// Something in it must be on disk before anything else is written.
    pub(super) is_dirty: bool,
    pub(super) tally: Tally,
}

impl Ledger {
    pub(super) fn new(most_gaps: usize) -> Self {
        Self {
            most_gaps,
            ..Self::default()
        }
    }

    /// Takes over what was written; damaged records are skipped, and counted in the result.
    pub(super) fn read(most_gaps: usize, bytes: &[u8]) -> (Self, u64) {
        let mut ledger = Self::new(most_gaps);
        let (mut rest, mut damaged) = (bytes, 0);
        while !rest.is_empty() {
            match parse(rest) {
                Parsed::Record(record, length) => {
                    damaged += u64::from(ledger.take(&record).is_none());
                    rest = &rest[length..];
                }
                Parsed::Damaged(length) => {
                    damaged += 1;
                    rest = &rest[length..];
                }
                Parsed::Absurd | Parsed::Incomplete => {
                    damaged += 1;
                    break;
                }
            }
        }
        ledger.sort();
        (ledger, damaged)
    }

    fn take(&mut self, record: &Record<'_>) -> Option<()> {
        match record.kind {
            Kind::Dropped | Kind::Missing if self.gaps.len() < self.most_gaps => {
                self.gaps.push(Gap {
                    epoch: record.epoch,
                    loss: Loss::decode(record.sequence, record.payload)?,
                    is_hole: record.kind == Kind::Missing,
                    is_open: false,
                    is_told: false,
                });
            }
            Kind::Sent => self.sent = Position::at(record.epoch, record.sequence),
            Kind::Remove => {
                let name = std::str::from_utf8(record.payload).ok()?;
                self.removing.push(name.to_owned());
            }
            _ => return None,
        }
        Some(())
    }

    /// Writes all of it. An error of which `may_be_written` says true leaves open whether it is there.
    pub(super) fn write(&mut self, disk: &dyn Disk) -> Result<(), (Failure, bool)> {
        let before = |failure| (failure, false);
        let after = |failure| (failure, true);
        let mut draft = disk
            .create(DRAFT)
            .map_err(Failure::of("create", DRAFT))
            .map_err(before)?;
        draft
            .append(&self.bytes())
            .map_err(Failure::of("write", DRAFT))
            .map_err(before)?;
        draft
            .sync()
            .map_err(Failure::of("sync", DRAFT))
            .map_err(before)?;
        disk.rename(DRAFT, NAME)
            .map_err(Failure::of("replace", NAME))
            .map_err(after)?;
        disk.sync()
            .map_err(Failure::of("sync the directory for", NAME))
            .map_err(after)?;
        self.is_dirty = false;
        Ok(())
    }

    pub(super) fn size(&self) -> u64 {
        let names: usize = self
            .removing
            .iter()
            .map(|name| Record::bytes(name.len()))
            .sum();
        (self.gaps.len() * Record::bytes(Loss::BYTES) + names + HEADER_BYTES + 1) as u64
    }

    /// Writes down what was let go of.
    pub(super) fn add(&mut self, epoch: u64, loss: Loss) {
        for (sum, more) in self.tally.dropped.iter_mut().zip(loss.by_level) {
            *sum += more;
        }
        self.tally.merged_updates += loss.merged_updates;
        let mut open = self.gaps.iter_mut();
        match open.find(|gap| gap.epoch == epoch && gap.is_open) {
            Some(gap) => gap.loss.add(&loss),
            None => self.push(epoch, loss, false),
        }
        self.is_dirty = true;
        self.sort();
    }

    /// Writes down that nothing is there between two sequences.
    pub(super) fn add_hole(&mut self, epoch: u64, first: u64, last: u64, level: Option<Level>) {
        let mut loss = Loss::between(first, last);
        let events = (last - first).saturating_add(1);
        match level {
            Some(level) => loss.by_level[level.index()] = events,
            None => loss.unknown = events,
        }
        self.tally.missing = self.tally.missing.saturating_add(events);
        self.push(epoch, loss, true);
        self.sort();
    }

    fn push(&mut self, epoch: u64, loss: Loss, is_hole: bool) {
        self.tally.gaps += 1;
        self.gaps.push(Gap {
            epoch,
            loss,
            is_hole,
            is_open: !is_hole,
            is_told: false,
        });
        if self.gaps.len() > self.most_gaps {
            self.gaps.remove(0);
            self.tally.gaps_dropped += 1;
        }
    }

    fn sort(&mut self) {
        self.gaps.sort_by_key(Gap::position);
    }

    /// The next gap of an epoch after a sequence.
    pub(super) fn next(&self, epoch: u64, after: u64) -> Option<&Gap> {
        let mut later = self.gaps.iter();
        later.find(|gap| gap.epoch == epoch && gap.loss.first > after && !gap.is_told)
    }

    /// It grows no more.
    pub(super) fn hand_out(&mut self, epoch: u64, first: u64) {
        for gap in &mut self.gaps {
            gap.is_open &= gap.position() != Position::at(epoch, first);
        }
    }

    /// Up to where gaps that begin at or before a sequence tell why events are missing.
    pub(super) fn explained(&self, epoch: u64, sequence: u64) -> u64 {
        self.gaps
            .iter()
            .filter(|gap| gap.epoch == epoch && gap.loss.first <= sequence)
            .map(|gap| gap.loss.last)
            .max()
            .unwrap_or(0)
    }

    /// The collector holds all up to a sequence; returns up to where nothing is left to deliver.
    pub(super) fn settle(&mut self, epoch: u64, sequence: u64) -> u64 {
        let mut settled = sequence;
        for gap in &mut self.gaps {
            if gap.epoch == epoch && gap.loss.first <= settled {
                gap.is_told = true;
                gap.is_open = false;
                if gap.is_hole {
                    settled = settled.max(gap.loss.last);
                }
            }
        }
        self.gaps
            .retain(|gap| gap.epoch != epoch || !gap.is_told || gap.loss.last > settled);
        settled
    }

    /// Nothing of the epochs before this one is left.
    pub(super) fn forget_before(&mut self, epoch: u64) {
        self.gaps.retain(|gap| gap.epoch >= epoch || !gap.is_told);
    }

    /// Gaps that the collector does not hold.
    pub(super) fn untold(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(|gap| !gap.is_told)
    }

    pub(super) fn newest_epoch(&self) -> u64 {
        let gaps = self.gaps.iter().map(|gap| gap.epoch);
        gaps.chain([self.sent.epoch]).max().unwrap_or(0)
    }

    /// Takes over what another one has that is not written anywhere.
    pub(super) fn adopt(&mut self, other: Self) {
        self.is_dirty |= !other.gaps.is_empty();
        self.gaps.extend(other.gaps);
        self.sent = self.sent.max(other.sent);
        self.tally = other.tally;
        self.sort();
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut write = |kind, at: Position, payload: &[u8]| {
            let record = Record {
                kind,
                epoch: at.epoch,
                sequence: at.sequence,
                payload,
            };
            record.write(&mut bytes);
        };
        write(Kind::Sent, self.sent, &[0]);
        for gap in &self.gaps {
            let kind = if gap.is_hole {
                Kind::Missing
            } else {
                Kind::Dropped
            };
            write(kind, gap.position(), &gap.loss.encode());
        }
        for name in &self.removing {
            debug_assert!(name.len() <= MOST_PAYLOAD_BYTES);
            write(Kind::Remove, Position::default(), name.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_counted() {
        let mut ledger = Ledger::new(8);
        ledger.add(7, Loss::dropped(Level::Low, 12, Some((5, 6))));
        ledger.add(7, Loss::merged(3, Some((4, 0))));
        ledger.add_hole(7, 20, 29, None);
        ledger.sent = Position::at(7, 2);
        ledger.removing.push("a segment".into());
        let bytes = ledger.bytes();
        assert_eq!(bytes.len() as u64, ledger.size());
        let (read, damaged) = Ledger::read(8, &bytes);
        assert_eq!((damaged, read.gaps.len()), (0, 2));
        assert_eq!(read.bytes(), bytes);
        let gap = read.gaps[0].message();
        assert_eq!(
            (gap.events, gap.merged_updates, gap.last_sequence),
            (1, 1, 12)
        );
        assert_eq!(gap.id.map(|id| id.sequence), Some(3));

        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let (_, damaged) = Ledger::read(8, &changed);
            assert!(damaged > 0, "bit {bit}");
        }
    }
}
