//! From older schemas to this one, step by step.

use api::{
    encoding,
    v1::{self},
};
use rusqlite::{Connection, Result, params};

use super::super::{engine::Mark, entry::Kind};

/// Of the schema.
pub(super) const VERSION: u32 = 3;

/// Brings a file of a version, 0 for an empty one, to the current one.
pub(super) fn migrate(
    connection: &Connection,
    version: u32,
    tables: &str,
    outputs: &str,
) -> Result<()> {
    match version {
        0 => {
            connection.execute_batch(tables)?;
            connection.execute_batch("INSERT INTO head VALUES (0, 0, 0, 0, 0, 0, 0, 0, random() >> 1 & 0x3fffffffffffffff | 1)")?;
        }
        1 => from_1(connection, tables)?,
        _ => {}
    }
    // Version 2 had no outputs.
    if version <= 2 {
        connection.execute_batch(outputs)?;
    }
    Ok(())
}

/// Version 1 kept node and epoch in each row, and gaps as columns.
fn from_1(connection: &Connection, tables: &str) -> Result<()> {
    connection.execute_batch("DROP INDEX log_by_time; ALTER TABLE log RENAME TO old")?;
    connection.execute_batch(tables)?;
    connection.execute_batch(
        "INSERT INTO agents (node, epoch, sequence)
             SELECT node, epoch, ifnull(max(sequence), 0) FROM old GROUP BY node, epoch;
         INSERT INTO log (cursor, agent, sequence, kind, record)
             SELECT cursor, id, old.sequence, 0, event
             FROM old JOIN agents ON agents.node = old.node AND agents.epoch = old.epoch
             WHERE event IS NOT NULL ORDER BY cursor",
    )?;
    gaps(connection)?;
    let (newest, marked_at) = marks(connection)?;
    connection.execute(
        "INSERT INTO head SELECT
             ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'old'), 0),
             ifnull((SELECT min(cursor) - 1 FROM old),
                    ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'old'), 0)),
             ifnull((SELECT sum(length(record)) FROM log), 0),
             ifnull((SELECT max(id) FROM agents), 0),
             ifnull((SELECT max(epoch) FROM agents WHERE node = '@collector'), 0),
             ?1, ?1, ?2, random() >> 1 & 0x3fffffffffffffff | 1",
        params![marked_at, newest],
    )?;
    connection.execute_batch("DROP TABLE old")
}

fn gaps(connection: &Connection) -> Result<()> {
    let mut read = connection.prepare(
        "SELECT cursor, id, old.node, lost, reason FROM old
         JOIN agents ON agents.node = old.node AND agents.epoch = old.epoch
         WHERE event IS NULL",
    )?;
    let mut write = connection.prepare(
        "INSERT INTO log (cursor, agent, sequence, kind, record) VALUES (?1, ?2, 0, ?3, ?4)",
    )?;
    let mut rows = read.query(())?;
    while let Some(row) = rows.next()? {
        let reason: Option<String> = row.get(4)?;
        let gap = v1::Gap {
            node: row.get(2)?,
            events: row.get(3)?,
            reason: reason.unwrap_or_default(),
            ..Default::default()
        };
        let (cursor, agent): (u64, u64) = (row.get(0)?, row.get(1)?);
        let bytes = encoding::encode_gap(&gap);
        write.execute(params![cursor, agent, Kind::Gap.number(), &bytes[..]])?;
    }
    Ok(())
}

/// When an event was committed is not known; it was not before it was raised. The newest time and the last
/// mark's.
fn marks(connection: &Connection) -> Result<(i64, i64)> {
    let interval = i64::try_from(Mark::INTERVAL.as_nanos()).unwrap_or(i64::MAX);
    let mut read = connection
        .prepare("SELECT cursor, raised_at FROM old WHERE raised_at IS NOT NULL ORDER BY cursor")?;
    let mut write = connection
        .prepare("INSERT INTO marks (cursor, committed_at, newest) VALUES (?1, ?2, ?2)")?;
    let mut rows = read.query(())?;
    let (mut newest, mut marked_at) = (0, 0);
    while let Some(row) = rows.next()? {
        let (cursor, raised_at): (u64, i64) = (row.get(0)?, row.get(1)?);
        newest = raised_at.max(newest);
        if newest.saturating_sub(marked_at) >= interval {
            marked_at = newest;
            write.execute(params![cursor, newest])?;
        }
    }
    Ok((newest, marked_at))
}

#[cfg(test)]
mod tests {
    use super::{super::schema, *};

    /// As version 1 made it.
    const VERSION_1: &str = "
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
        PRAGMA user_version = 1;
        INSERT INTO log (cursor, node, epoch, sequence, raised_at, event) VALUES
            (3, 'n1', 7, 1, 1000000000000, x'aa'),
            (4, 'n2', 8, 5, 3000000000000, x'bb');
        INSERT INTO log (node, epoch, lost, reason) VALUES ('n1', 7, 9, 'full');
        INSERT INTO log (node, epoch, sequence, raised_at, event) VALUES
            ('n1', 7, 2, 2000000000000, x'cc');
    ";

    #[test]
    fn a_log_of_version_1_keeps_its_cursors_and_what_was_acknowledged() {
        use super::super::queries;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picket.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(VERSION_1).unwrap();
        drop(old);
        let connection = schema::open(&path).unwrap();
        let rows = queries::rows(&connection, 0, 10).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.cursor, row.kind)).collect();
        let (event, gap) = (Kind::Event, Kind::Gap);
        assert_eq!(found, [(3, event), (4, event), (5, gap), (6, event)]);
        assert_eq!(rows[3].bytes, [0xcc]);
        let lost = encoding::decode_gap(&rows[2].bytes).unwrap();
        assert_eq!(
            (lost.events, lost.node.as_str(), lost.reason.as_str()),
            (9, "n1", "full")
        );
        let head = queries::head(&connection).unwrap();
        assert_eq!((head.last, head.horizon, head.agents), (6, 2, 2));
        let source = |node: &str, epoch| super::super::super::engine::Source {
            node: node.into(),
            epoch,
        };
        for (node, epoch, sequence) in [("n1", 7, 2), ("n2", 8, 5)] {
            let held = queries::held(&connection, &source(node, epoch)).unwrap();
            assert_eq!(held.unwrap().sequence, sequence);
        }
        for (since, before) in [(0, 2), (1500, 3), (2500, 3), (4000, 4)] {
            let since = since * 1_000_000_000;
            assert_eq!(
                queries::before(&connection, since).unwrap(),
                before,
                "{since}"
            );
        }
    }
}
