//! `picket.v1.Gap` as JSON.

use serde::Serialize;

use super::event::Id;
use crate::{names, times, v1};

/// What is missing.
#[derive(Debug, Serialize)]
pub struct Gap<'a> {
    id: Option<Id<'a>>,
    cursor: u64,
    node: &'a str,
    events: u64,
    last_sequence: u64,
    lost: Vec<Lost>,
    merged_updates: u64,
    first_raised_at: Option<String>,
    last_raised_at: Option<String>,
    reason: &'a str,
}

impl<'a> Gap<'a> {
    /// The form of a message.
    #[must_use]
    pub fn new(gap: &'a v1::Gap) -> Self {
        Self {
            id: gap.id.as_ref().map(Id::new),
            cursor: gap.cursor,
            node: &gap.node,
            events: gap.events,
            last_sequence: gap.last_sequence,
            lost: gap.lost.iter().map(Lost::new).collect(),
            merged_updates: gap.merged_updates,
            first_raised_at: times::exact(gap.first_raised_at),
            last_raised_at: times::exact(gap.last_raised_at),
            reason: &gap.reason,
        }
    }
}

#[derive(Debug, Serialize)]
struct Lost {
    severity: String,
    events: u64,
}

impl Lost {
    fn new(lost: &v1::Lost) -> Self {
        Self {
            severity: names::severity(lost.severity),
            events: lost.events,
        }
    }
}
