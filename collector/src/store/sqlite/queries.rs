//! What is asked of the file, and written to it.

use rusqlite::{Connection, OptionalExtension as _, Result, Row as Columns, params};

use super::super::{
    engine::{Changes, Head, Held, Source, signed},
    entry::{Kind, Row},
};

pub(super) fn head(connection: &Connection) -> Result<Head> {
    connection
        .prepare_cached(
            "SELECT last, horizon, bytes, agents, epoch, committed_at, marked_at, newest, log FROM head",
        )?
        .query_row((), |row| {
            Ok(Head {
                last: row.get(0)?,
                horizon: row.get(1)?,
                bytes: row.get(2)?,
                agents: row.get(3)?,
                epoch: row.get(4)?,
                committed_at: row.get(5)?,
                marked_at: row.get(6)?,
                newest: row.get(7)?,
                log: row.get(8)?,
            })
        })
}

pub(super) fn held(connection: &Connection, source: &Source) -> Result<Option<Held>> {
    connection
        .prepare_cached("SELECT id, sequence FROM agents WHERE node = ?1 AND epoch = ?2")?
        .query_row(params![source.node, signed(source.epoch)], |row| {
            Ok(Held {
                id: row.get(0)?,
                sequence: row.get(1)?,
            })
        })
        .optional()
}

/// The next rows after a cursor.
pub(super) fn rows(connection: &Connection, after: u64, limit: usize) -> Result<Vec<Row>> {
    connection
        .prepare_cached(
            "SELECT cursor, kind, record FROM log WHERE cursor > ?1 ORDER BY cursor LIMIT ?2",
        )?
        .query_map(params![signed(after), limit], row)?
        .collect()
}

/// The rows at these cursors, in their order.
pub(super) fn at(connection: &Connection, cursors: &[u64]) -> Result<Vec<Row>> {
    let mut statement =
        connection.prepare_cached("SELECT cursor, kind, record FROM log WHERE cursor = ?1")?;
    let mut rows = Vec::with_capacity(cursors.len());
    for cursor in cursors {
        rows.extend(statement.query_row([signed(*cursor)], row).optional()?);
    }
    Ok(rows)
}

/// The next rows after a cursor that are events.
pub(super) fn events(connection: &Connection, after: u64, limit: usize) -> Result<Vec<Row>> {
    connection
        .prepare_cached(
            "SELECT cursor, kind, record FROM log WHERE cursor > ?1 AND kind = ?2
             ORDER BY cursor LIMIT ?3",
        )?
        .query_map(params![signed(after), Kind::Event.number(), limit], row)?
        .collect()
}

/// The last events of collectors.
pub(super) fn own(connection: &Connection, limit: usize) -> Result<Vec<Row>> {
    let node = Source::collector(0).node;
    connection
        .prepare_cached(
            "SELECT cursor, kind, record FROM agents JOIN log ON log.agent = agents.id
             WHERE node = ?1 ORDER BY agents.epoch DESC, log.sequence DESC LIMIT ?2",
        )?
        .query_map(params![node, limit], row)?
        .collect()
}

pub(super) fn event(
    connection: &Connection,
    source: &Source,
    sequence: u64,
) -> Result<Option<Row>> {
    connection
        .prepare_cached(
            "SELECT cursor, kind, record FROM agents JOIN log ON log.agent = agents.id
             WHERE node = ?1 AND epoch = ?2 AND log.sequence = ?3 AND kind = ?4",
        )?
        .query_row(
            params![
                source.node,
                signed(source.epoch),
                signed(sequence),
                Kind::Event.number()
            ],
            row,
        )
        .optional()
}

fn row(columns: &Columns<'_>) -> Result<Row> {
    Ok(Row {
        cursor: columns.get(0)?,
        kind: Kind::of_number(columns.get(1)?),
        bytes: columns.get(2)?,
    })
}

/// A cursor that only events raised earlier lie before.
pub(super) fn before(connection: &Connection, since: i64) -> Result<u64> {
    let marked: Option<u64> = connection
        .prepare_cached(
            "SELECT cursor FROM marks WHERE newest < ?1 ORDER BY newest DESC, cursor DESC LIMIT 1",
        )?
        .query_row([since], |row| row.get(0))
        .optional()?;
    let horizon = horizon(connection)?;
    Ok(marked.unwrap_or(0).max(horizon))
}

pub(super) fn horizon(connection: &Connection) -> Result<u64> {
    connection
        .prepare_cached("SELECT horizon FROM head")?
        .query_row((), |row| row.get(0))
}

pub(super) fn committed_before(connection: &Connection, at: i64) -> Result<u64> {
    let marked: Option<u64> = connection
        .prepare_cached(
            "SELECT cursor FROM marks WHERE committed_at < ?1
             ORDER BY committed_at DESC, cursor DESC LIMIT 1",
        )?
        .query_row([at], |row| row.get(0))
        .optional()?;
    Ok(marked.unwrap_or(0))
}

/// Cursors and sizes of the first rows after the horizon.
pub(super) fn sizes(
    connection: &Connection,
    horizon: u64,
    limit: usize,
) -> Result<Vec<(u64, u64)>> {
    connection
        .prepare_cached(
            "SELECT cursor, length(record) FROM log WHERE cursor > ?1 ORDER BY cursor LIMIT ?2",
        )?
        .query_map(params![signed(horizon), limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect()
}

pub(super) fn remove(connection: &Connection, through: u64) -> Result<()> {
    for table in ["log", "marks"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE cursor <= ?1"))?
            .execute([signed(through)])?;
    }
    Ok(())
}

/// Removes what is known of agents that nothing is kept of, but of each node's newest: by its
/// clock, and by when it came.
pub(super) fn forget(connection: &Connection) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM agents
             WHERE epoch < (SELECT max(epoch) FROM agents AS newer WHERE newer.node = agents.node)
               AND id < (SELECT max(id) FROM agents AS later WHERE later.node = agents.node)
               AND NOT EXISTS (SELECT 1 FROM log WHERE log.agent = agents.id)",
        )?
        .execute(())?;
    Ok(())
}

pub(super) fn write(connection: &Connection, changes: &Changes) -> Result<()> {
    let mut agent = connection.prepare_cached(
        "INSERT INTO agents (id, node, epoch, sequence) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (node, epoch) DO UPDATE SET sequence = excluded.sequence",
    )?;
    for (source, held) in &changes.agents {
        let epoch = signed(source.epoch);
        agent.execute(params![held.id, source.node, epoch, signed(held.sequence)])?;
    }
    let mut log = connection.prepare_cached(
        "INSERT INTO log (cursor, agent, sequence, kind, record) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in &changes.rows {
        log.execute(params![
            row.cursor,
            row.agent,
            row.sequence,
            row.kind.number(),
            &row.bytes[..]
        ])?;
    }
    if let Some(mark) = changes.mark {
        connection
            .prepare_cached("INSERT INTO marks (cursor, committed_at, newest) VALUES (?1, ?2, ?3)")?
            .execute(params![mark.cursor, mark.committed_at, mark.newest])?;
    }
    let head = &changes.head;
    connection
        .prepare_cached(
            "UPDATE head SET last = ?1, horizon = ?2, bytes = ?3, agents = ?4, epoch = ?5,
             committed_at = ?6, marked_at = ?7, newest = ?8",
        )?
        .execute(params![
            head.last,
            head.horizon,
            head.bytes,
            head.agents,
            head.epoch,
            head.committed_at,
            head.marked_at,
            head.newest
        ])?;
    Ok(())
}
