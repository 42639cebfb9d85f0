//! The only writer: whatever is queued while one commit runs is the next one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rusqlite::{Connection, Transaction, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    entry::Append,
    error::StoreError,
    metrics::{Committed, Metrics},
    schema,
};

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
    Close,
}

/// Commits groups of batches until told to close, and then what is still queued.
#[expect(
    clippy::disallowed_methods,
    reason = "this loop owns the clock of its commits"
)]
pub(super) fn run(
    mut connection: Connection,
    mut commands: mpsc::Receiver<Command>,
    last: &watch::Sender<u64>,
    failing: &AtomicBool,
    metrics: &Metrics,
) {
    let mut group = Vec::with_capacity(GROUP);
    let mut grown = 0;
    while commands.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut appends = Vec::with_capacity(group.len());
        let mut replies = Vec::with_capacity(group.len());
        for command in group.drain(..) {
            match command {
                Command::Append(append, reply) => {
                    appends.push(append);
                    replies.push(reply);
                }
                Command::Try(reply) => replies.push(reply),
                Command::Close => commands.close(),
            }
        }
        if replies.is_empty() {
            continue;
        }
        let start = Instant::now();
        let result = commit(&mut connection, &appends);
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
            checkpoint(&connection);
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

fn commit(connection: &mut Connection, appends: &[Append]) -> rusqlite::Result<Committed> {
    let transaction = connection.transaction()?;
    let mut committed = Committed::default();
    if appends.is_empty() {
        schema::touch(&transaction)?;
    }
    for append in appends {
        insert(&transaction, append, &mut committed)?;
    }
    transaction.commit()?;
    Ok(committed)
}

fn insert(
    transaction: &Transaction<'_>,
    append: &Append,
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
    // Not "on conflict do nothing": that would spend a cursor on each duplicate.
    let mut statement = transaction.prepare_cached(
        "INSERT INTO log (node, epoch, sequence, raised_at, event) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM log WHERE node = ?1 AND epoch = ?2 AND sequence = ?3)",
    )?;
    for event in &append.events {
        committed.bytes += event.bytes.len();
        let inserted = statement.execute(params![
            append.node,
            append.epoch,
            event.sequence,
            event.raised_at,
            &event.bytes[..]
        ])?;
        if inserted == 0 {
            committed.duplicates += 1;
        } else {
            committed.stored += 1;
            committed.cursor = cursor(transaction);
        }
    }
    Ok(())
}

fn cursor(transaction: &Transaction<'_>) -> Option<u64> {
    u64::try_from(transaction.last_insert_rowid()).ok()
}
