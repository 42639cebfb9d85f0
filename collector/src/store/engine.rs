//! What a database has to do for the log. The rest is the same for all.

use std::time::Duration;

use api::{correlations::COLLECTOR, v1::Timestamp};
use bytes::Bytes;

use super::{
    entry::{Kind, Row, nanoseconds},
    error::Cause,
};

/// Where the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Head {
    /// The last cursor given.
    pub(super) last: u64,
    /// All up to this cursor was removed.
    pub(super) horizon: u64,
    /// Of the records that are kept.
    pub(super) bytes: u64,
    /// The last id given to an agent.
    pub(super) agents: u64,
    /// The last epoch given to a collector.
    pub(super) epoch: u64,
    /// When something was committed last, in nanoseconds since 1970, as are the others.
    pub(super) committed_at: i64,
    /// When the last mark was.
    pub(super) marked_at: i64,
    /// No event was raised later.
    pub(super) newest: i64,
    /// Tells this log from others; never changes.
    pub(super) log: u64,
}

/// Who gives sequences: a node's agent, or a collector, from a start on.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Source {
    pub(super) node: String,
    pub(super) epoch: u64,
}

impl Source {
    pub(super) fn collector(epoch: u64) -> Self {
        Self {
            node: COLLECTOR.into(),
            epoch,
        }
    }
}

/// What the log holds of an agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) id: u64,
    /// The highest.
    pub(super) sequence: u64,
}

/// Rows, and the horizon after they were read.
pub(super) type Rows = (Vec<Row>, u64);

/// A transaction has begun, and no other writes until it ends.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) head: Head,
    /// One for each source, in the same order.
    pub(super) held: Vec<Option<Held>>,
    /// What others wrote meanwhile, or the first part of it.
    pub(super) rows: Vec<Row>,
}

/// A row to be written.
#[derive(Debug)]
pub(super) struct NewRow {
    pub(super) cursor: u64,
    /// Its id.
    pub(super) agent: u64,
    pub(super) sequence: u64,
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
}

/// All events up to the cursor were committed by then, and none of them was raised later than `newest`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) cursor: u64,
    pub(super) committed_at: i64,
    pub(super) newest: i64,
}

impl Mark {
    /// How far apart marks are, at least.
    pub(super) const INTERVAL: Duration = Duration::from_secs(10);
}

/// What a transaction writes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) head: Head,
    pub(super) agents: Vec<(Source, Held)>,
    pub(super) rows: Vec<NewRow>,
    pub(super) mark: Option<Mark>,
}

/// A database, as its one writer in this process sees it.
///
/// After an error there is no transaction any more, and what was to be committed may or may not be.
pub(super) trait Engine {
    /// Rows that [`Engine::begin`] and [`Engine::rows`] return, at most.
    const ROWS: usize = 4096;

    /// Begins a transaction, alone: until it ends no cursor is given in another one.
    async fn begin(&mut self, sources: &[Source], seen: u64) -> Result<Begun, Cause>;

    /// Writes the changes and ends the transaction. What it wrote survives the loss of power.
    async fn commit(&mut self, changes: &Changes) -> Result<(), Cause>;

    /// Where the log is, outside a transaction.
    async fn head(&mut self) -> Result<Head, Cause>;

    /// The next events after a cursor, in or outside a transaction.
    async fn rows(&mut self, after: u64) -> Result<Vec<Row>, Cause>;

    /// The last events of collectors, in no order.
    async fn own(&mut self, limit: usize) -> Result<Vec<Row>, Cause>;

    /// A cursor that only events raised earlier lie before.
    async fn before(&mut self, since: i64) -> Result<u64, Cause>;

    /// The highest cursor that was committed earlier, of those that are marked; 0 when none.
    async fn committed_before(&mut self, at: i64) -> Result<u64, Cause>;

    /// Cursors and sizes of the first rows after the horizon.
    async fn sizes(&mut self, horizon: u64, limit: usize) -> Result<Vec<(u64, u64)>, Cause>;

    /// Removes all up to the cursor, within the transaction.
    async fn remove(&mut self, through: u64) -> Result<(), Cause>;

    /// Removes what is known of agents that nothing is kept of, but of each node's newest.
    async fn forget(&mut self) -> Result<(), Cause>;

    /// What can wait until nobody does; `grown` bytes were written since.
    async fn rest(&mut self, grown: usize);
}

/// Gives this collector an epoch of its own, later than any before, also when the clock was set back.
pub(super) async fn reserve(engine: &mut impl Engine, now: Timestamp) -> Result<Head, Cause> {
    let mut head = engine.begin(&[], u64::MAX).await?.head;
    let now = u64::try_from(nanoseconds(now)).unwrap_or(0);
    head.epoch = now.max(head.epoch + 1);
    let changes = Changes {
        head,
        ..Default::default()
    };
    engine.commit(&changes).await?;
    Ok(head)
}

/// As the databases keep it. No log reaches the largest integers: who names them reads nothing.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
