//! What goes into the log, and what comes out.

use api::v1::{self, Timestamp};

/// What an agent sent at once. It is stored as a whole or not at all.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) node: String,
    pub(crate) epoch: u64,
    /// Events the agent lost before these.
    pub(crate) dropped: u64,
    pub(crate) events: Vec<v1::Event>,
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Event(Box<v1::Event>),
    Gap(v1::Gap),
}

impl Entry {
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
