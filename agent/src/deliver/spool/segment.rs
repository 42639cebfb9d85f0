//! A file of events of one severity and one epoch: its name, and what is known of it without reading.

use super::{
    loss::{Level, Loss, Moment},
    record::{Kind, Record, number},
};

/// The record at the end of a segment that gets no more events.
pub(super) const SEAL_BYTES: usize = Record::bytes(PAYLOAD_BYTES);
const PAYLOAD_BYTES: usize = 3 * 8 + 2 * 12;

/// What is said of a segment in memory; its events are on the disk alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Segment {
    pub(super) level: Level,
    pub(super) epoch: u64,
    /// Of the event it began with.
    pub(super) start: u64,
    /// How often it was rewritten without updates that a later one replaced.
    pub(super) generation: u32,
    /// Sequences of what is in it.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) events: u64,
    /// Events of it that the collector holds.
    pub(super) settled: u64,
    /// As far as it can be trusted.
    pub(super) bytes: u64,
    pub(super) raised: Option<(Moment, Moment)>,
    /// Up to where what is damaged has been counted.
    pub(super) checked: u64,
    /// How often it could not be read, one time after another.
    pub(super) failures: u32,
}

impl Segment {
    pub(super) const fn new(level: Level, epoch: u64, start: u64) -> Self {
        Self {
            level,
            epoch,
            start,
            generation: 0,
            first: start,
            last: 0,
            events: 0,
            settled: 0,
            bytes: 0,
            raised: None,
            checked: 0,
            failures: 0,
        }
    }

    /// The segment that a file is, by its name; nothing when it is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let level = parts.next()?;
        let level = Level::ALL.into_iter().find(|known| word(*known) == level)?;
        let mut next = || parts.next()?.parse::<u64>().ok();
        let (epoch, start, generation) = (next()?, next()?, next()?);
        let segment = Self {
            generation: generation.try_into().ok()?,
            ..Self::new(level, epoch, start)
        };
        (segment.name() == name).then_some(segment)
    }

    pub(super) fn name(&self) -> String {
        let Self {
            epoch,
            start,
            generation,
            ..
        } = self;
        format!("{}-{epoch:020}-{start:020}-{generation}", word(self.level))
    }

    /// Takes in an event of which the record takes `bytes`.
    pub(super) fn add(&mut self, sequence: u64, bytes: usize, raised: Option<Moment>) {
        if self.events == 0 {
            self.first = sequence;
        }
        self.last = sequence;
        self.events += 1;
        self.bytes += bytes as u64;
        if let Some(at) = raised {
            let (first, last) = self.raised.unwrap_or((at, at));
            self.raised = Some((first.min(at), last.max(at)));
        }
    }

    pub(super) const fn pending(&self) -> u64 {
        self.events.saturating_sub(self.settled)
    }

    /// What goes with it.
    pub(super) fn loss(&self) -> Loss {
        let mut loss = Loss::between(self.first, self.last);
        loss.by_level[self.level.index()] = self.events;
        loss.raised = self.raised;
        loss
    }

    /// Writes what it says of itself.
    pub(super) fn seal(&self, to: &mut Vec<u8>) {
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES);
        for number in [self.first, self.last, self.events] {
            payload.extend_from_slice(&number.to_le_bytes());
        }
        // None is a moment that no event has.
        let none = (i64::MIN, 0);
        let (first, last) = self.raised.unwrap_or((none, none));
        for (seconds, nanos) in [first, last] {
            payload.extend_from_slice(&seconds.to_le_bytes());
            payload.extend_from_slice(&nanos.to_le_bytes());
        }
        let record = Record {
            kind: Kind::Seal,
            epoch: self.epoch,
            sequence: self.last,
            payload: &payload,
        };
        record.write(to);
    }

    /// Takes over what a seal says; whether it can be true.
    pub(super) fn unseal(&mut self, seal: &Record<'_>, file_bytes: u64) -> bool {
        let Ok(payload) = <&[u8; PAYLOAD_BYTES]>::try_from(seal.payload) else {
            return false;
        };
        let (first, last, events) = (
            number(&payload[..8]),
            number(&payload[8..16]),
            number(&payload[16..24]),
        );
        let moment = |at: usize| {
            let seconds = number(&payload[at..at + 8]).cast_signed();
            let nanos = number(&payload[at + 8..at + 12]) as u32;
            (seconds, nanos.cast_signed())
        };
        let sane = seal.kind == Kind::Seal
            && seal.epoch == self.epoch
            && self.start <= first
            && first <= last
            && (1..=last - first + 1).contains(&events)
            && events <= file_bytes / Record::bytes(1) as u64;
        if sane {
            (self.first, self.last, self.events) = (first, last, events);
            self.bytes = file_bytes;
            let raised = (moment(24), moment(36));
            self.raised = (raised.0.0 != i64::MIN).then_some(raised);
        }
        sane
    }
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Low => "low",
        Level::Medium => "medium",
        Level::High => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::*, *};

    #[test]
    fn a_name_tells_what_a_file_is() {
        let segment = Segment::new(Level::Medium, 1_764_000_000_000_000_000, 42);
        let name = "medium-01764000000000000000-00000000000000000042-0";
        assert_eq!(segment.name(), name);
        assert_eq!(Segment::named(name), Some(segment));
        for other in ["lock", "ledger", "medium-1-2-0", "info-x-y-z", "low---", ""] {
            assert_eq!(Segment::named(other), None, "{other}");
        }
    }

    #[test]
    fn a_seal_tells_what_is_in_a_segment() {
        let mut segment = Segment::new(Level::Low, 7, 3);
        segment.add(3, 100, Some((10, 5)));
        segment.add(9, 100, Some((11, 6)));
        let mut seal = Vec::new();
        segment.seal(&mut seal);
        assert_eq!(seal.len(), SEAL_BYTES);
        let Parsed::Record(record, _) = parse(&seal) else {
            panic!("no record");
        };
        let mut read = Segment::new(Level::Low, 7, 3);
        assert!(read.unseal(&record, 200));
        assert_eq!(read, segment);
        assert!(
            !Segment::new(Level::Low, 8, 3).unseal(&record, 200),
            "another epoch"
        );
        assert!(
            !Segment::new(Level::Low, 7, 4).unseal(&record, 200),
            "it starts before"
        );
        assert!(
            !Segment::new(Level::Low, 7, 3).unseal(&record, 20),
            "too small"
        );
    }
}
