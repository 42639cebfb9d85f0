//! What goes to the collector next: events of all severities and gaps, in sequence order.

use std::sync::Arc;

use api::{encoding, v1};

use super::{
    super::{
        disk::Failure,
        ledger::Position,
        loss::Level,
        reader::{Reader, Stored},
    },
    Batch, Hint, Journal, MOST_ITEMS,
};

/// Far below what a message may have.
const MOST_BYTES: usize = 1024 * 1024;
/// Times that a segment is tried to be read before the rest of it is given up.
const PATIENCE: u32 = 3;
/// What may be sent before that must be written down again: as much as may wait for acknowledgements.
const SENT_AHEAD: u64 = 16 * MOST_ITEMS as u64;

/// The events of one severity, from a sequence on.
struct Cursor {
    level: Level,
    /// In the chain.
    at: usize,
    reader: Reader,
    next: Option<Stored>,
}

impl Journal {
    /// What follows `after` in an epoch; of what is in memory alone, `unspooled` has the first, in order.
    ///
    /// # Errors
    /// When a segment could not be read; the next attempt tries again, and not for ever.
    pub(in super::super) fn batch(
        &mut self,
        epoch: u64,
        after: u64,
        unspooled: &[v1::Event],
    ) -> Result<Batch, Failure> {
        let mut cursors = Vec::new();
        for level in Level::ALL {
            cursors.extend(self.cursor(level, Position::at(epoch, after))?);
        }
        let mut unspooled = unspooled.iter().peekable();
        let mut batch = Batch {
            last: after,
            ..Batch::default()
        };
        let mut handed = Vec::new();
        let mut bytes = 0;
        while batch.len() < MOST_ITEMS && bytes < MOST_BYTES {
            let spooled = cursors
                .iter()
                .enumerate()
                .filter_map(|(at, cursor)| Some((cursor.next.as_ref()?.sequence, at)))
                .min();
            let memory = unspooled.peek().map(|event| sequence(event));
            let gap = self.ledger.next(epoch, batch.last);
            let gap = gap.map(|gap| gap.loss.first);
            let known = [spooled.map(|(sequence, _)| sequence), memory, gap];
            let next = known.into_iter().flatten().min();
            if self.tell_hole(epoch, batch.last, next, &cursors) {
                continue;
            }
            let Some(next) = next else { break };
            if gap == Some(next) {
                self.ledger.hand_out(epoch, next);
                let gap = self.ledger.next(epoch, batch.last);
                batch
                    .gaps
                    .extend(gap.map(super::super::ledger::Gap::message));
                handed.push((next, None));
            } else if let Some((_, at)) = spooled.filter(|(sequence, _)| *sequence == next) {
                let cursor = &mut cursors[at];
                let stored = cursor.next.take();
                let level = cursor.level;
                self.advance(cursor, epoch)?;
                let Some(event) = stored.and_then(|stored| {
                    bytes += stored.payload.len();
                    encoding::decode(&stored.payload).ok()
                }) else {
                    // Its place is a hole, which is told with what follows.
                    self.damaged += 1;
                    continue;
                };
                batch.events.push(event);
                handed.push((next, Some(level)));
            } else if let Some(event) = unspooled.next() {
                bytes += encoding::size(event);
                batch.events.push(event.clone());
                handed.push((next, Some(Level::of(event))));
            }
            batch.last = next;
        }
        for cursor in &cursors {
            self.remember(cursor, Position::at(epoch, batch.last));
        }
        self.handed.extend(handed);
        self.hand_out(Position::at(epoch, batch.last));
        Ok(batch)
    }

    /// Writes down what is missing before `next`, if nothing else tells of it.
    fn tell_hole(&mut self, epoch: u64, after: u64, next: Option<u64>, cursors: &[Cursor]) -> bool {
        let behind = next.unwrap_or_else(|| {
            let last = |cursor: &Cursor| self.chains[cursor.level.index()].segments[cursor.at].last;
            cursors
                .iter()
                .map(last)
                .max()
                .unwrap_or(0)
                .saturating_add(1)
        });
        let explained = after.max(self.ledger.explained(epoch, behind.saturating_sub(1)));
        if behind <= explained.saturating_add(1) {
            return false;
        }
        let mut damaged = cursors
            .iter()
            .filter(|cursor| cursor.reader.damaged_from(0) > 0)
            .map(|cursor| cursor.level);
        let level = damaged.next().filter(|_| damaged.next().is_none());
        self.ledger
            .add_hole(epoch, explained + 1, behind - 1, level);
        // The next process tells of it in the same words. Should this fail, the disk is failing anyway.
        self.ledger.is_dirty |= self.ledger.write(&*self.disk).is_err();
        true
    }

    /// The first segment of a chain with something behind a position, and the first event there.
    fn cursor(&mut self, level: Level, after: Position) -> Result<Option<Cursor>, Failure> {
        let chain = &self.chains[level.index()];
        let at = chain
            .segments
            .iter()
            .position(|s| s.epoch == after.epoch && s.last > after.sequence);
        let Some(at) = at else { return Ok(None) };
        let segment = &chain.segments[at];
        let hint = chain.hint.as_ref().filter(|hint| {
            hint.name == segment.name()
                && hint.after.epoch == after.epoch
                && hint.after.sequence <= after.sequence
        });
        let offset = hint.map_or(0, |hint| hint.offset);
        let mut cursor = Cursor {
            level,
            at,
            reader: Reader::new(Arc::clone(&self.disk), segment, offset),
            next: None,
        };
        loop {
            self.advance(&mut cursor, after.epoch)?;
            let next = cursor.next.as_ref();
            if next.is_none_or(|next| next.sequence > after.sequence) {
                return Ok(Some(cursor));
            }
        }
    }

    /// Reads the next event, be it in the next segment.
    fn advance(&mut self, cursor: &mut Cursor, epoch: u64) -> Result<(), Failure> {
        loop {
            let chain = &mut self.chains[cursor.level.index()];
            let segment = &mut chain.segments[cursor.at];
            match cursor.reader.next() {
                _ if segment.failures >= PATIENCE => cursor.next = None,
                Ok(next) => cursor.next = next,
                Err(failure) => {
                    segment.failures += 1;
                    if segment.failures < PATIENCE {
                        return Err(failure);
                    }
                    self.damaged += 1;
                    segment.checked = segment.bytes;
                    cursor.next = None;
                }
            }
            if cursor.next.is_some() {
                return Ok(());
            }
            let torn = cursor.reader.is_torn() && segment.checked < segment.bytes;
            self.damaged += cursor.reader.damaged_from(segment.checked) + u64::from(torn);
            segment.checked = segment.bytes;
            match chain.segments.get(cursor.at + 1) {
                Some(next) if next.epoch == epoch => {
                    cursor.at += 1;
                    cursor.reader = Reader::new(Arc::clone(&self.disk), next, 0);
                }
                _ => return Ok(()),
            }
        }
    }

    /// The next batch begins where this one ended.
    fn remember(&mut self, cursor: &Cursor, after: Position) {
        let chain = &mut self.chains[cursor.level.index()];
        let next = cursor.next.as_ref().map(|next| next.start);
        for segment in &mut chain.segments {
            if segment.failures < PATIENCE {
                segment.failures = 0;
            }
        }
        chain.hint = Some(Hint {
            name: chain.segments[cursor.at].name(),
            offset: next.unwrap_or(cursor.reader.offset()),
            after,
        });
    }

    /// Writes down, well ahead, up to where events may have been sent: what is beyond was not, and may be
    /// dropped by whoever opens the spool next.
    fn hand_out(&mut self, last: Position) {
        self.sent = self.sent.max(last);
        if last > self.ledger.sent {
            self.ledger.sent = Position::at(last.epoch, last.sequence.saturating_add(SENT_AHEAD));
            // Where it cannot be written, the spool is failing, and says so with the next event.
            self.ledger.is_dirty |= self.ledger.write(&*self.disk).is_err();
        }
    }
}

fn sequence(event: &v1::Event) -> u64 {
    event.id.as_ref().map_or(0, |id| id.sequence)
}
