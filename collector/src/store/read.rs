//! Reads of the log: the same for all databases, on connections of their own.

use std::sync::Arc;

use api::v1::{self, Timestamp};

use super::{
    engine::{Rows, Source},
    entry::{Entry, nanoseconds},
    error::StoreError,
    postgres, sqlite,
};

/// Rows that one page looks at, at most: a filter that matches nothing must not hold a reader.
const SCAN: usize = 4096;

/// Rows read at once, at most.
const CHUNK: usize = 512;

/// Encoded events after which a page ends. One has 64 KiB at most, so that a page stays below the 4 MiB
/// that gRPC clients take unless told otherwise.
pub(crate) const PAGE_BYTES: usize = 2 * 1024 * 1024;

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
    /// Of them, encoded.
    pub(crate) bytes: usize,
    /// All rows up to here were looked at.
    pub(crate) next: u64,
    /// Whether there was no row beyond.
    pub(crate) end: bool,
}

impl Page {
    /// Up to where the log was looked at, of which all up to `committed` could be seen: a last cursor whose row
    /// is gone must not be looked for again and again.
    pub(crate) const fn reached(&self, committed: u64) -> u64 {
        if self.end && committed > self.next {
            committed
        } else {
            self.next
        }
    }
}

/// Connections for reads.
#[derive(Debug)]
pub(super) enum Readers {
    Sqlite(sqlite::Readers),
    Postgres(postgres::Readers),
}

impl Readers {
    pub(super) async fn page(&self, query: &Query) -> Result<Page, StoreError> {
        let mut page = Page {
            entries: Vec::new(),
            bytes: 0,
            next: query.after,
            end: true,
        };
        let mut looked = 0;
        while looked < SCAN {
            // At first as if all were wanted; when few are, the rest is read in larger pieces.
            let first = if looked == 0 {
                query.limit.max(1)
            } else {
                CHUNK
            };
            let limit = CHUNK.min(SCAN - looked).min(first);
            let (rows, horizon) = self.rows(page.next, limit).await?;
            // 0 stands for the beginning of what is kept.
            if (1..horizon).contains(&page.next) {
                return Err(StoreError::Removed {
                    after: page.next,
                    earliest: horizon + 1,
                });
            }
            page.end = rows.len() < limit;
            looked += rows.len();
            for row in &rows {
                let entry = row.entry().unwrap_or_else(|_| Entry::damaged(row.cursor));
                page.next = row.cursor;
                if wanted(query, &entry) {
                    page.entries.push(entry);
                    page.bytes += row.bytes.len();
                }
                if page.entries.len() >= query.limit || page.bytes >= query.bytes {
                    page.end = false;
                    return Ok(page);
                }
            }
            if page.end {
                break;
            }
        }
        Ok(page)
    }

    async fn rows(&self, after: u64, limit: usize) -> Result<Rows, StoreError> {
        match self {
            Self::Sqlite(readers) => readers.rows(after, limit).await,
            Self::Postgres(readers) => readers.rows(after, limit).await,
        }
        .map_err(StoreError::Read)
    }

    /// A cursor that only events raised earlier lie before.
    pub(super) async fn before(&self, since: Timestamp) -> Result<u64, StoreError> {
        let since = nanoseconds(since);
        match self {
            Self::Sqlite(readers) => readers.before(since).await,
            Self::Postgres(readers) => readers.before(since).await,
        }
        .map_err(StoreError::Read)
    }

    pub(super) async fn event(&self, id: v1::EventId) -> Result<Option<v1::Event>, StoreError> {
        let (source, sequence) = (source(id.node, id.epoch), id.sequence);
        let row = match self {
            Self::Sqlite(readers) => readers.event(source, sequence).await,
            Self::Postgres(readers) => readers.event(source, sequence).await,
        };
        let row = row.map_err(StoreError::Read)?;
        let entry = row.map(|row| row.entry()).transpose()?;
        Ok(entry.and_then(Entry::event))
    }

    pub(super) async fn events_at(&self, cursors: Vec<u64>) -> Result<Vec<v1::Event>, StoreError> {
        let rows = match self {
            Self::Sqlite(readers) => readers.at(cursors).await,
            Self::Postgres(readers) => readers.at(&cursors).await,
        };
        let rows = rows.map_err(StoreError::Read)?;
        let entries = rows.iter().filter_map(|row| row.entry().ok());
        Ok(entries.filter_map(Entry::event).collect())
    }

    pub(super) async fn highest_sequence(
        &self,
        node: String,
        epoch: u64,
    ) -> Result<u64, StoreError> {
        let source = source(node, epoch);
        match self {
            Self::Sqlite(readers) => readers.highest(source).await,
            Self::Postgres(readers) => readers.highest(source).await,
        }
        .map_err(StoreError::Read)
    }
}

fn source(node: String, epoch: u64) -> Source {
    Source { node, epoch }
}

fn wanted(query: &Query, entry: &Entry) -> bool {
    (query.gaps || matches!(entry, Entry::Event(_))) && entry.passes(&query.filter)
}
