//! The only writer: whatever is queued while one commit runs is the next one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Instant, SystemTime},
};

use api::{
    correlations::COLLECTOR,
    encoding,
    v1::{self, Timestamp},
};

use rusqlite::{Connection, Transaction, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    entry::{Append, Encoded},
    error::StoreError,
    metrics::{Committed, Metrics},
    recall, schema,
};
use crate::correlate::Correlator;

/// Batches of one commit, at most.
const GROUP: usize = 64;

/// Growth of the WAL that calls for a checkpoint, estimated as bytes of events and pages touched.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;

/// A commit touches the last pages of the table and of its indexes.
const COMMIT_BYTES: usize = 4 * 4096;

const GAP_REASON: &str = "the agent's queue was full";

#[derive(Debug)]
pub(super) enum Command {
    Append(Append, oneshot::Sender<Result<(), StoreError>>),
    /// Writes nothing new, and tells whether that works.
    Try(oneshot::Sender<Result<(), StoreError>>),
    /// Time has passed.
    Tick,
    Close,
}

/// The log, and what is correlated as it grows: both change together or not at all.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) connection: Connection,
    pub(super) correlator: Correlator,
}

/// Commits groups of batches until told to close, and then what is still queued.
#[expect(
    clippy::disallowed_methods,
    reason = "this loop owns the clock of its commits"
)]
pub(super) fn run(
    mut log: Log,
    mut commands: mpsc::Receiver<Command>,
    last: &watch::Sender<u64>,
    failing: &AtomicBool,
    metrics: &Metrics,
) {
    let mut group = Vec::with_capacity(GROUP);
    let mut grown = 0;
    // Whether the correlator has to be brought to where the log ends.
    let mut stale = true;
    while commands.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut appends = Vec::with_capacity(group.len());
        let mut replies = Vec::with_capacity(group.len());
        let mut ticked = false;
        for command in group.drain(..) {
            match command {
                Command::Append(append, reply) => {
                    appends.push(append);
                    replies.push(reply);
                }
                Command::Try(reply) => replies.push(reply),
                Command::Tick => ticked = true,
                Command::Close => commands.close(),
            }
        }
        let now = Timestamp::from(SystemTime::now());
        let ready = if stale { log.recall(now) } else { Ok(()) };
        stale = ready.is_err();
        let due = ticked && !stale && log.is_due(now);
        if replies.is_empty() && !due {
            continue;
        }
        let start = Instant::now();
        let result = ready.and_then(|()| log.commit(&appends, due, now));
        stale |= result.is_err();
        metrics.committed(&result, start.elapsed());
        failing.store(result.is_err(), Ordering::Relaxed);
        let result = match result {
            Ok(committed) => {
                if let Some(cursor) = committed.cursor {
                    last.send_replace(cursor);
                }
                grown += committed.bytes + COMMIT_BYTES;
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "cannot write to the database");
                Err(StoreError::Write(Arc::new(error)))
            }
        };
        for reply in replies {
            // A stream that ended meanwhile does not wait for its answer.
            drop(reply.send(result.clone()));
        }
        if grown >= CHECKPOINT_BYTES {
            grown = 0;
            checkpoint(&log.connection);
        }
    }
}

/// Moves the WAL into the database, so that it starts over. A failed one is made up by the next.
fn checkpoint(connection: &Connection) {
    let checkpoint = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()));
    if let Err(error) = checkpoint {
        tracing::warn!(%error, "cannot checkpoint the database");
    }
}

impl Log {
    fn recall(&mut self, now: Timestamp) -> rusqlite::Result<()> {
        recall::recall(&self.connection, &mut self.correlator, now)
    }

    fn is_due(&mut self, now: Timestamp) -> bool {
        self.correlator.expire(now.into());
        self.correlator.is_due(now.into())
    }

    fn commit(
        &mut self,
        appends: &[Append],
        due: bool,
        now: Timestamp,
    ) -> rusqlite::Result<Committed> {
        let correlator = &mut self.correlator;
        let transaction = self.connection.transaction()?;
        let mut committed = Committed::default();
        if appends.is_empty() {
            schema::touch(&transaction)?;
        }
        for append in appends {
            insert(&transaction, append, correlator, now, &mut committed)?;
        }
        if due {
            let closed = correlator.close_due(now.into());
            raise(&transaction, &closed, &mut committed)?;
        }
        transaction.commit()?;
        correlator.committed(committed.raised);
        Ok(committed)
    }
}

fn insert(
    transaction: &Transaction<'_>,
    append: &Append,
    correlator: &mut Correlator,
    now: Timestamp,
    committed: &mut Committed,
) -> rusqlite::Result<()> {
    if append.dropped > 0 {
        transaction
            .prepare_cached("INSERT INTO log (node, epoch, lost, reason) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                append.node,
                append.epoch,
                append.dropped,
                GAP_REASON
            ])?;
        committed.lost += append.dropped;
        committed.cursor = cursor(transaction);
    }
    for event in &append.events {
        let sighting = event.sighting.as_deref();
        let into = sighting.and_then(|sighting| correlator.mark(sighting, now.into()));
        let marked = into.map(|into| encoding::correlate(&event.bytes, into));
        let bytes = marked.as_deref().unwrap_or(&event.bytes);
        if !store(
            transaction,
            &append.node,
            append.epoch,
            event,
            bytes,
            committed,
        )? {
            committed.duplicates += 1;
        } else if let Some(sighting) = sighting {
            let raised = correlator.observe(sighting, now.into());
            raise(transaction, &raised, committed)?;
        }
    }
    Ok(())
}

/// Stores what the collector raised itself.
fn raise(
    transaction: &Transaction<'_>,
    events: &[v1::Event],
    committed: &mut Committed,
) -> rusqlite::Result<()> {
    for event in events {
        let epoch = event.id.as_ref().map_or(0, |id| id.epoch);
        let event = Encoded::from(event);
        let bytes = &event.bytes;
        committed.raised += u64::from(store(
            transaction,
            COLLECTOR,
            epoch,
            &event,
            bytes,
            committed,
        )?);
    }
    Ok(())
}

/// Whether the event was stored: false when the log holds it already.
fn store(
    transaction: &Transaction<'_>,
    node: &str,
    epoch: u64,
    event: &Encoded,
    bytes: &[u8],
    committed: &mut Committed,
) -> rusqlite::Result<bool> {
    // Not "on conflict do nothing": that would spend a cursor on each duplicate.
    let mut statement = transaction.prepare_cached(
        "INSERT INTO log (node, epoch, sequence, raised_at, event) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM log WHERE node = ?1 AND epoch = ?2 AND sequence = ?3)",
    )?;
    committed.bytes += bytes.len();
    let row = params![node, epoch, event.sequence, event.raised_at, bytes];
    let stored = statement.execute(row)? > 0;
    if stored {
        committed.stored += 1;
        committed.cursor = cursor(transaction);
    }
    Ok(stored)
}

fn cursor(transaction: &Transaction<'_>) -> Option<u64> {
    u64::try_from(transaction.last_insert_rowid()).ok()
}
