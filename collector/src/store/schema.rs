//! The tables, and how a connection is set up.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction};

use super::error::StoreError;

const VERSION: u32 = 1;

/// AUTOINCREMENT, because a cursor must never be given twice, also when retention removed the last
/// rows. Gaps have no sequence, so the unique constraint lets them be.
const SCHEMA: &str = "
    CREATE TABLE log (
        cursor INTEGER PRIMARY KEY AUTOINCREMENT,
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        sequence INTEGER,
        raised_at INTEGER,
        event BLOB,
        lost INTEGER,
        reason TEXT,
        UNIQUE (node, epoch, sequence),
        CHECK ((event IS NULL) <> (lost IS NULL))
    ) STRICT;
    CREATE INDEX log_by_time ON log (raised_at) WHERE raised_at IS NOT NULL;
";

/// How long a connection waits for another one's lock, at a checkpoint say.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the writer's connection and brings the schema up to date.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path).map_err(|error| refused(path, error))?;
    match prepare(&mut connection) {
        Ok(Found::Ours) => Ok(connection),
        Ok(Found::Foreign) => Err(StoreError::Foreign { path: path.into() }),
        Ok(Found::Newer(version)) => Err(StoreError::Newer {
            path: path.into(),
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

/// The last cursor given; 0 when none.
pub(super) fn last_cursor(connection: &Connection) -> rusqlite::Result<u64> {
    let last = connection
        .query_row(
            "SELECT seq FROM sqlite_sequence WHERE name = 'log'",
            (),
            |row| row.get(0),
        )
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// Writes what is there already, to see whether the file can be written to.
pub(super) fn touch(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "user_version", VERSION)
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
        (VERSION, _) | (0, 0) => {}
        (0, _) => return Ok(Found::Foreign),
        (version, _) => return Ok(Found::Newer(version)),
    }
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // An acknowledged event must survive the loss of power: sync the WAL at each commit.
    connection.pragma_update(None, "synchronous", "full")?;
    // A checkpoint syncs twice more, so the writer makes them between commits, not within.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    let transaction = connection.transaction()?;
    if version == 0 {
        transaction.execute_batch(SCHEMA)?;
    }
    // A file that cannot be written to is to be found now.
    touch(&transaction)?;
    transaction.commit()?;
    Ok(Found::Ours)
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
        let newer = format!("PRAGMA user_version = {}", VERSION + 1);
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
    fn a_commit_is_synced_to_disk() {
        let connection = open_after("").unwrap();
        let pragma = |name| {
            connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
        assert_eq!(pragma("synchronous"), 2.into(), "full");
    }

    #[test]
    fn a_cursor_is_not_given_twice_though_its_row_is_gone() {
        let connection = open_after("").unwrap();
        let insert = "INSERT INTO log (node, epoch, lost) VALUES ('n1', 1, 1)";
        assert_eq!(last_cursor(&connection).unwrap(), 0);
        connection.execute(insert, ()).unwrap();
        connection.execute("DELETE FROM log", ()).unwrap();
        assert_eq!(last_cursor(&connection).unwrap(), 1);
        connection.execute(insert, ()).unwrap();
        assert_eq!(connection.last_insert_rowid(), 2);
    }
}
