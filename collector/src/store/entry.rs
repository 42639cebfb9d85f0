//! What goes into the log, and what comes out.

use api::{
    encoding, filter,
    v1::{self, Timestamp},
};
use bytes::Bytes;

use crate::correlate::Sighting;

/// What an agent sent at once. It is stored as a whole or not at all.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) node: String,
    pub(crate) epoch: u64,
    /// Events the agent lost before these.
    pub(crate) dropped: u64,
    pub(crate) events: Vec<Encoded>,
}

/// An event as the log keeps it: encoded before it is queued, so that the one writer only writes.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(super) sequence: Option<u64>,
    pub(super) raised_at: Option<i64>,
    pub(super) bytes: Bytes,
    /// What it says to be correlated.
    pub(super) sighting: Option<Box<Sighting>>,
}

impl From<&v1::Event> for Encoded {
    fn from(event: &v1::Event) -> Self {
        Self {
            sequence: event.id.as_ref().map(|id| id.sequence),
            raised_at: event.raised_at.map(nanoseconds),
            bytes: encoding::encode(event),
            sighting: Sighting::of(event).map(Box::new),
        }
    }
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Event(Box<v1::Event>),
    Gap(v1::Gap),
}

impl Entry {
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
pub(super) fn nanoseconds(at: Timestamp) -> i64 {
    at.seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(i64::from(at.nanos))
}
