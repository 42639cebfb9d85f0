//! What goes into the log, and what comes out.

use api::{
    encoding, filter,
    v1::{self, Timestamp},
};
use bytes::Bytes;

use super::error::StoreError;
use crate::correlate::Sighting;

/// What an agent sent at once. It is stored as a whole or not at all.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) node: String,
    pub(crate) epoch: u64,
    /// The sequence that the log has to hold of the epoch; 0 for none.
    pub(crate) after: u64,
    /// The highest sequence of the batch, also of what was refused in it; 0 for none.
    pub(crate) through: u64,
    /// In the order of their sequences.
    pub(crate) records: Vec<Record>,
}

impl Append {
    pub(super) fn bytes(&self) -> usize {
        self.records.iter().map(|it| it.bytes.len()).sum()
    }
}

/// What an agent may send again, and the log holds once.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Kind {
    Event,
    Gap,
}

impl Kind {
    /// As the databases keep it.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Event => 0,
            Self::Gap => 1,
        }
    }

    pub(super) const fn of_number(number: u8) -> Self {
        match number {
            0 => Self::Event,
            _ => Self::Gap,
        }
    }
}

/// An event or a gap as the log keeps it: encoded before it is queued, so that the one writer only writes.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(super) sequence: u64,
    pub(super) kind: Kind,
    /// In nanoseconds since 1970; none of a gap.
    pub(super) raised_at: Option<i64>,
    pub(super) bytes: Bytes,
    /// Events that are missing.
    pub(super) lost: u64,
    /// What it says to be correlated.
    pub(super) sighting: Option<Box<Sighting>>,
}

impl Record {
    /// Bytes in the log.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl From<&v1::Event> for Record {
    fn from(event: &v1::Event) -> Self {
        Self {
            sequence: event.id.as_ref().map_or(0, |id| id.sequence),
            kind: Kind::Event,
            raised_at: event.raised_at.map(nanoseconds),
            bytes: encoding::encode(event),
            lost: 0,
            sighting: Sighting::of(event).map(Box::new),
        }
    }
}

impl From<&v1::Gap> for Record {
    fn from(gap: &v1::Gap) -> Self {
        Self {
            sequence: gap.id.as_ref().map_or(0, |id| id.sequence),
            kind: Kind::Gap,
            raised_at: None,
            bytes: encoding::encode_gap(gap),
            lost: gap.events,
            sighting: None,
        }
    }
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) cursor: u64,
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

impl Row {
    pub(super) fn entry(&self) -> Result<Entry, StoreError> {
        let cursor = self.cursor;
        let damaged = |_| StoreError::Damaged(cursor);
        Ok(match self.kind {
            Kind::Event => {
                let event = encoding::decode(&self.bytes).map_err(damaged)?;
                Entry::Event(Box::new(v1::Event { cursor, ..event }))
            }
            Kind::Gap => {
                let gap = encoding::decode_gap(&self.bytes).map_err(damaged)?;
                Entry::Gap(v1::Gap { cursor, ..gap })
            }
        })
    }
}

/// One row of the log, decoded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Event(Box<v1::Event>),
    Gap(v1::Gap),
}

impl Entry {
    /// What stands for a row that nobody can read: it must not keep anybody from what lies behind it.
    pub(super) fn damaged(cursor: u64) -> Self {
        tracing::error!(cursor, "a row of the log is damaged: check the disk");
        Self::Gap(v1::Gap {
            events: 1,
            reason: "damaged in the collector's log".into(),
            cursor,
            ..Default::default()
        })
    }

    pub(crate) const fn cursor(&self) -> u64 {
        match self {
            Self::Event(event) => event.cursor,
            Self::Gap(gap) => gap.cursor,
        }
    }

    /// Bytes, encoded.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Event(event) => encoding::size(event),
            Self::Gap(gap) => gap.reason.len(),
        }
    }

    /// Whether a subscriber with this filter is sent it.
    pub(crate) fn passes(&self, filter: &v1::Filter) -> bool {
        match self {
            Self::Event(event) => filter::matches(filter, event),
            // What was lost could have matched anything but another node.
            Self::Gap(gap) => filter.nodes.is_empty() || filter.nodes.contains(&gap.node),
        }
    }

    pub(crate) fn event(self) -> Option<v1::Event> {
        match self {
            Self::Event(event) => Some(*event),
            Self::Gap(_) => None,
        }
    }
}

/// Nanoseconds since 1970, as the log orders times; saturates.
pub(crate) fn nanoseconds(at: Timestamp) -> i64 {
    at.seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(i64::from(at.nanos))
}
