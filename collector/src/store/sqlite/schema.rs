//! The tables, and how a connection is set up.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{super::error::StoreError, migrate};

/// Cursors are given by the writer, and never twice: the last one outlives its row in `head`.
///
/// A duplicate is known by `agents`, so the index is for reads of one event alone. `marks` has a row every few
/// seconds at most, see [`super::super::engine::Mark`]: it says which cursors are of which time, so that the
/// log needs no index by time.
pub(super) const TABLES: &str = "
    CREATE TABLE head (
        last INTEGER NOT NULL,
        horizon INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        agents INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        committed_at INTEGER NOT NULL,
        marked_at INTEGER NOT NULL,
        newest INTEGER NOT NULL,
        log INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE agents (
        id INTEGER PRIMARY KEY,
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        UNIQUE (node, epoch)
    ) STRICT;
    CREATE TABLE log (
        cursor INTEGER PRIMARY KEY,
        agent INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        record BLOB NOT NULL
    ) STRICT;
    CREATE INDEX log_by_id ON log (agent, sequence);
    CREATE TABLE marks (
        cursor INTEGER PRIMARY KEY,
        committed_at INTEGER NOT NULL,
        newest INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX marks_by_newest ON marks (newest, cursor);
    CREATE INDEX marks_by_commit ON marks (committed_at, cursor);
";

/// Up to where each output was served. One that is no longer configured is kept: it may come back.
pub(super) const OUTPUTS: &str = "
    CREATE TABLE outputs (
        name TEXT PRIMARY KEY,
        cursor INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// How long a connection waits for another one's lock, at a checkpoint say.
const BUSY: Duration = Duration::from_secs(5);

/// The writer's memory for pages; a negative number counts KiB.
const CACHE_KIB: i32 = -64 * 1024;

/// Opens the writer's connection and brings the schema up to date.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path).map_err(|error| refused(path, error))?;
    let database = || path.display().to_string();
    match prepare(&mut connection) {
        Ok(Found::Ours) => Ok(connection),
        Ok(Found::Foreign) => Err(StoreError::Foreign {
            database: database(),
        }),
        Ok(Found::Newer(version)) => Err(StoreError::Newer {
            database: database(),
            version,
        }),
        Err(error) => Err(refused(path, error)),
    }
}

/// Opens a reader's connection to a log that is there.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| connection.busy_timeout(BUSY).map(|()| connection))
        .map_err(|error| refused(path, error))
}

/// Opens one that writes beside the writer, little and seldom. What it commits need not survive a loss of power,
/// and so it waits for no disk.
pub(super) fn open_beside(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(connection)
}

/// Writes what is there already, to see whether the file can be written to.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", migrate::VERSION)
}

enum Found {
    Ours,
    Foreign,
    Newer(u32),
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<Found> {
    connection.busy_timeout(BUSY)?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    match (version, tables) {
        (0, 0) => connection.pragma_update(None, "auto_vacuum", "incremental")?,
        (0, _) => return Ok(Found::Foreign),
        (..=migrate::VERSION, _) => {}
        (version, _) => return Ok(Found::Newer(version)),
    }
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // An acknowledged event must survive the loss of power: sync the WAL at each commit.
    connection.pragma_update(None, "synchronous", "full")?;
    // A checkpoint syncs twice more, so the writer makes them between commits, not within.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // A large group fits, so that no page is written twice.
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    let transaction = connection.transaction()?;
    migrate::migrate(&transaction, version, TABLES, OUTPUTS)?;
    // A file that cannot be written to is to be found now; one that is only full can be read.
    match touch(&transaction).and_then(|()| transaction.commit()) {
        Err(error)
            if version == migrate::VERSION
                && error.sqlite_error_code() == Some(ErrorCode::DiskFull) =>
        {
            tracing::warn!(%error, "cannot write to the database until there is room");
            Ok(Found::Ours)
        }
        written => written.map(|()| Found::Ours),
    }
}

fn refused(path: &Path, source: rusqlite::Error) -> StoreError {
    StoreError::Open {
        path: path.into(),
        source: Arc::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a database that was made with these statements.
    fn open_after(statements: &str) -> Result<Connection, StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picket.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch(statements).unwrap();
        drop(other);
        open(&path)
    }

    #[test]
    fn only_a_database_of_ours_is_opened() {
        let newer = format!("PRAGMA user_version = {}", migrate::VERSION + 1);
        assert!(open_after("").is_ok());
        for (statements, expected) in [
            ("CREATE TABLE recipes (name TEXT)", "another program's"),
            (newer.as_str(), "install a newer collector"),
        ] {
            let message = open_after(statements).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_commit_is_synced_to_disk_and_a_new_file_can_shrink() {
        let connection = open_after("").unwrap();
        let pragma = |name| {
            connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
        assert_eq!(pragma("synchronous"), 2.into(), "full");
        assert_eq!(pragma("auto_vacuum"), 2.into(), "incremental");
    }
}
