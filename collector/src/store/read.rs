//! Reads of the log, on connections of their own.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use api::{
    encoding,
    v1::{self, Timestamp},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params, types::ValueRef};
use tokio::sync::Semaphore;

use super::{
    entry::{Entry, nanoseconds},
    error::StoreError,
    schema,
};

/// Reads that run at once; more wait for one of them.
const READERS: usize = 4;

/// Rows that one page looks at, at most: a filter that matches nothing must not hold a reader.
const SCAN: u64 = 4096;

/// Encoded events after which a page ends. One has 64 KiB at most, so that a page stays below the 4 MiB
/// that gRPC clients take unless told otherwise.
pub(crate) const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Idle connections, one for each permit.
#[derive(Debug)]
pub(super) struct Readers {
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let idle = (0..READERS)
            .map(|_| schema::open_reader(path))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            permits: Semaphore::new(READERS),
            idle: Mutex::new(idle),
        })
    }

    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(self);
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        tokio::task::spawn_blocking(move || {
            let connection = readers.take().ok_or(StoreError::Closed)?;
            let result = query(&connection);
            readers.put(connection);
            result
        })
        .await
        .map_err(|_| StoreError::Closed)?
    }

    fn take(&self) -> Option<Connection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn put(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

/// What to read.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) filter: Arc<v1::Filter>,
    /// Reads after this cursor.
    pub(crate) after: u64,
    /// At most so many entries.
    pub(crate) limit: usize,
    /// No further entry once their events have so many bytes.
    pub(crate) bytes: usize,
    /// Whether gaps are entries.
    pub(crate) gaps: bool,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// Of their events, encoded.
    pub(crate) bytes: usize,
    /// All rows up to here were looked at.
    pub(crate) next: u64,
    /// Whether there was no row beyond.
    pub(crate) end: bool,
}

pub(super) fn page(connection: &Connection, query: &Query) -> Result<Page, StoreError> {
    let mut page = Page {
        entries: Vec::new(),
        bytes: 0,
        next: query.after,
        end: true,
    };
    let mut statement = connection
        .prepare_cached(
            "SELECT cursor, node, event, lost, reason FROM log
             WHERE cursor > ?1 ORDER BY cursor LIMIT ?2",
        )
        .map_err(failed)?;
    // No log reaches the largest integers: a client that names them reads nothing.
    let after = i64::try_from(query.after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![after, SCAN]).map_err(failed)?;
    let mut seen = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        seen += 1;
        let entry = entry(row)?;
        page.next = row.get(0).map_err(failed)?;
        if wanted(query, &entry) {
            page.entries.push(entry);
            page.bytes += event_bytes(row)?;
        }
        let full = page.entries.len() == query.limit || page.bytes >= query.bytes;
        if full || seen == SCAN {
            page.end = false;
            break;
        }
    }
    Ok(page)
}

fn wanted(query: &Query, entry: &Entry) -> bool {
    (query.gaps || matches!(entry, Entry::Event(_))) && entry.passes(&query.filter)
}

fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let cursor: u64 = row.get(0).map_err(failed)?;
    let event: Option<Vec<u8>> = row.get(2).map_err(failed)?;
    let Some(bytes) = event else {
        return Ok(Entry::Gap(v1::Gap {
            events: row.get(3).map_err(failed)?,
            reason: row.get(4).map_err(failed)?,
            node: row.get(1).map_err(failed)?,
            cursor,
            ..Default::default()
        }));
    };
    decode(&bytes, cursor).map(|event| Entry::Event(Box::new(event)))
}

fn event_bytes(row: &Row<'_>) -> Result<usize, StoreError> {
    match row.get_ref(2).map_err(failed)? {
        ValueRef::Blob(bytes) => Ok(bytes.len()),
        _ => Ok(0),
    }
}

fn decode(bytes: &[u8], cursor: u64) -> Result<v1::Event, StoreError> {
    let event = encoding::decode(bytes).map_err(|_| StoreError::Damaged(cursor))?;
    Ok(v1::Event { cursor, ..event })
}

pub(super) fn event(
    connection: &Connection,
    id: &v1::EventId,
) -> Result<Option<v1::Event>, StoreError> {
    let (Ok(epoch), Ok(sequence)) = (i64::try_from(id.epoch), i64::try_from(id.sequence)) else {
        return Ok(None);
    };
    let found: Option<(u64, Vec<u8>)> = connection
        .prepare_cached(
            "SELECT cursor, event FROM log WHERE node = ?1 AND epoch = ?2 AND sequence = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![id.node, epoch, sequence], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
        })
        .map_err(failed)?;
    found
        .map(|(cursor, bytes)| decode(&bytes, cursor))
        .transpose()
}

pub(super) fn highest_sequence(
    connection: &Connection,
    node: &str,
    epoch: u64,
) -> Result<u64, StoreError> {
    let highest: Option<u64> = connection
        .prepare_cached("SELECT max(sequence) FROM log WHERE node = ?1 AND epoch = ?2")
        .and_then(|mut statement| statement.query_row(params![node, epoch], |row| row.get(0)))
        .map_err(failed)?;
    Ok(highest.unwrap_or(0))
}

pub(super) fn before(connection: &Connection, since: Timestamp) -> Result<u64, StoreError> {
    let first: Option<u64> = connection
        .prepare_cached("SELECT min(cursor) FROM log WHERE raised_at >= ?1")
        .and_then(|mut statement| statement.query_row([nanoseconds(since)], |row| row.get(0)))
        .map_err(failed)?;
    match first {
        Some(first) => Ok(first.saturating_sub(1)),
        None => schema::last_cursor(connection).map_err(failed),
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Read(Arc::new(error))
}
