//! SQLite: one file, one writer, and readers that never wait for it.

mod cursors;
mod migrate;
mod queries;
mod readers;
mod schema;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) use cursors::{Cursors, Held};
pub(super) use readers::Readers;
use rusqlite::Connection;

use super::{
    engine::{Begun, Changes, Engine, Head, Source},
    entry::Row,
    error::{Cause, StoreError},
};

/// Growth of the WAL that calls for a checkpoint, estimated as bytes of events and pages touched.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;

/// A commit touches the last pages of the tables and of their indexes.
const COMMIT_BYTES: usize = 6 * 4096;

/// Free pages that are kept for what comes next, and those given back to the file system at once.
const SPARE_PAGES: u64 = 1024;
const VACUUM_PAGES: u64 = 256;

/// The writer's connection.
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: Connection,
    grown: usize,
    /// Goes with the process.
    _lock: fs::File,
}

impl Sqlite {
    /// Opens the log, and creates it when there is none.
    pub(super) fn open(path: &Path) -> Result<(Self, Readers, Cursors), StoreError> {
        let lock = lock(path)?;
        let connection = schema::open(path)?;
        let readers = Readers::open(path)?;
        let engine = Self {
            connection,
            grown: 0,
            _lock: lock,
        };
        Ok((engine, readers, Cursors::new(path)))
    }

    /// Ends the transaction when it fails.
    fn within<T>(
        &mut self,
        action: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Cause> {
        let result = action(&self.connection);
        // A full disk has ended it already.
        if result.is_err()
            && !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "cannot roll back what failed in the database");
        }
        Ok(result?)
    }

    fn checkpoint(&self) {
        let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
        let checkpoint = self.connection.query_row(checkpoint, (), |_| Ok(()));
        if let Err(error) = checkpoint {
            tracing::warn!(%error, "cannot checkpoint the database");
        }
    }

    /// Gives a few pages back to the file system, if the file was made to do so.
    fn shrink(&self) -> rusqlite::Result<()> {
        let free: u64 = self
            .connection
            .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free > SPARE_PAGES {
            let pages = VACUUM_PAGES.min(free - SPARE_PAGES);
            self.connection
                .execute_batch(&format!("PRAGMA incremental_vacuum({pages})"))?;
        }
        Ok(())
    }
}

impl Engine for Sqlite {
    async fn begin(&mut self, sources: &[Source], seen: u64) -> Result<Begun, Cause> {
        self.within(|connection| {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let head = queries::head(connection)?;
            let held = sources
                .iter()
                .map(|source| queries::held(connection, source))
                .collect::<Result<_, _>>()?;
            let rows = if head.last > seen {
                queries::events(connection, seen, Self::ROWS)?
            } else {
                Vec::new()
            };
            Ok(Begun { head, held, rows })
        })
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), Cause> {
        self.within(|connection| {
            queries::write(connection, changes)?;
            if changes.rows.is_empty() {
                // The same values again would write nothing, and a full disk would go unnoticed.
                schema::touch(connection)?;
            }
            connection.execute_batch("COMMIT")
        })?;
        self.grown += COMMIT_BYTES;
        Ok(())
    }

    async fn head(&mut self) -> Result<Head, Cause> {
        self.within(queries::head)
    }

    async fn rows(&mut self, after: u64) -> Result<Vec<Row>, Cause> {
        self.within(|connection| queries::events(connection, after, Self::ROWS))
    }

    async fn own(&mut self, limit: usize) -> Result<Vec<Row>, Cause> {
        self.within(|connection| queries::own(connection, limit))
    }

    async fn before(&mut self, since: i64) -> Result<u64, Cause> {
        self.within(|connection| queries::before(connection, since))
    }

    async fn committed_before(&mut self, at: i64) -> Result<u64, Cause> {
        self.within(|connection| queries::committed_before(connection, at))
    }

    async fn sizes(&mut self, horizon: u64, limit: usize) -> Result<Vec<(u64, u64)>, Cause> {
        self.within(|connection| queries::sizes(connection, horizon, limit))
    }

    async fn remove(&mut self, through: u64) -> Result<(), Cause> {
        self.within(|connection| queries::remove(connection, through))
    }

    async fn forget(&mut self) -> Result<(), Cause> {
        self.within(queries::forget)
    }

    async fn rest(&mut self, grown: usize) {
        self.grown += grown;
        if self.grown >= CHECKPOINT_BYTES {
            self.grown = 0;
            self.checkpoint();
            if let Err(error) = self.shrink() {
                tracing::warn!(%error, "cannot give free pages of the database back");
            }
        }
    }
}

/// Two collectors on one file would not see each other's commits.
fn lock(path: &Path) -> Result<fs::File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let refused = |source| StoreError::Lock {
        path: name.clone(),
        source: Arc::new(source),
    };
    let file = fs::File::create(&name).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::Taken { path: path.into() }),
        Err(fs::TryLockError::Error(error)) => Err(refused(error)),
    }
}
