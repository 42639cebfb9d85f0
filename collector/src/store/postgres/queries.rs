//! What is asked of the server, and written to it: what can be asked at once travels at once.

use futures_util::future;
use tokio_postgres::{
    Client, Statement,
    types::{ToSql, Type},
};

use super::super::{
    engine::{Begun, Changes, Head, Held, Source, signed},
    entry::{Kind, Row},
    error::Cause,
};

/// What replicas listen to.
pub(super) const CHANNEL: &str = "picket_log";

const HEAD: &str = "SELECT last, horizon, bytes, agents, epoch, committed_at, marked_at, newest FROM head FOR UPDATE";
const HELD: &str = "SELECT asked.index, agents.id, agents.sequence
    FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS asked (node, epoch, index)
    JOIN agents USING (node, epoch)";
const EVENTS: &str = "SELECT cursor, kind, record FROM log WHERE cursor > $1 AND kind = 0
    ORDER BY cursor LIMIT $2";
const SET_AGENTS: &str = "INSERT INTO agents (id, node, epoch, sequence)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])
    ON CONFLICT (node, epoch) DO UPDATE SET sequence = excluded.sequence";
const INSERT: &str = "INSERT INTO log (cursor, agent, sequence, kind, record)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bytea[])";
const SET_HEAD: &str =
    "UPDATE head SET last = $1, horizon = $2, bytes = $3, agents = $4, epoch = $5,
    committed_at = $6, marked_at = $7, newest = $8";
const MARK: &str = "INSERT INTO marks (cursor, committed_at, newest) VALUES ($1, $2, $3)";

/// The statements of a writer, known to the server.
#[derive(Debug)]
pub(super) struct Write {
    head: Statement,
    held: Statement,
    events: Statement,
    set_agents: Statement,
    insert: Statement,
    set_head: Statement,
    mark: Statement,
}

impl Write {
    pub(super) async fn prepare(client: &Client) -> Result<Self, Cause> {
        Ok(Self {
            head: client.prepare(&format!("{HEAD} FOR UPDATE")).await?,
            held: client.prepare(HELD).await?,
            events: client.prepare(EVENTS).await?,
            set_agents: client.prepare(SET_AGENTS).await?,
            insert: client.prepare(INSERT).await?,
            set_head: client.prepare(SET_HEAD).await?,
            mark: client.prepare(MARK).await?,
        })
    }

    pub(super) async fn begin(
        &self,
        client: &Client,
        sources: &[Source],
        seen: u64,
        limit: usize,
    ) -> Result<Begun, Cause> {
        let nodes: Vec<_> = sources.iter().map(|source| &*source.node).collect();
        let epochs: Vec<_> = sources.iter().map(|source| signed(source.epoch)).collect();
        let asked: [&(dyn ToSql + Sync); 2] = [&nodes, &epochs];
        // Each statement sees what was committed before it began; the first one waits for the lock.
        let begin = client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED");
        let locked = client.query_one(&self.head, &[]);
        let known = client.query(&self.held, &asked);
        let rows = async { Ok(self.events(client, seen, limit).await) };
        let ((), locked, known, rows) = future::try_join4(begin, locked, known, rows).await?;
        let mut held = vec![None; sources.len()];
        for row in known {
            let index: i64 = row.try_get(0)?;
            let slot = usize::try_from(index - 1).ok();
            if let Some(slot) = slot.and_then(|index| held.get_mut(index)) {
                *slot = Some(Held {
                    id: unsigned(row.try_get(1)?),
                    sequence: unsigned(row.try_get(2)?),
                });
            }
        }
        Ok(Begun {
            head: head_of(&locked)?,
            held,
            rows: rows?,
        })
    }

    pub(super) async fn events(
        &self,
        client: &Client,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, Cause> {
        let (after, limit) = (signed(after), limit_of(limit));
        rows(client.query(&self.events, &[&after, &limit]).await?)
    }

    pub(super) async fn commit(&self, client: &Client, changes: &Changes) -> Result<(), Cause> {
        let head = &changes.head;
        // An error of one statement is one of all that follow, so the last one commits all or nothing.
        let end = format!("NOTIFY {CHANNEL}, '{} {}'; COMMIT", head.last, head.horizon);
        let agents = self.set_agents(client, changes);
        let log = self.insert(client, changes);
        let mark = self.mark(client, changes);
        let head = self.set_head(client, head);
        let end = client.batch_execute(&end);
        future::try_join5(agents, log, mark, head, end).await?;
        Ok(())
    }

    async fn set_agents(
        &self,
        client: &Client,
        changes: &Changes,
    ) -> Result<(), tokio_postgres::Error> {
        let agents = &changes.agents;
        if agents.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = agents.iter().map(|(_, held)| signed(held.id)).collect();
        let nodes: Vec<_> = agents.iter().map(|(source, _)| &*source.node).collect();
        let epochs: Vec<_> = agents.iter().map(|(it, _)| signed(it.epoch)).collect();
        let sequences: Vec<_> = agents.iter().map(|(_, it)| signed(it.sequence)).collect();
        client
            .execute(&self.set_agents, &[&ids, &nodes, &epochs, &sequences])
            .await?;
        Ok(())
    }

    async fn insert(
        &self,
        client: &Client,
        changes: &Changes,
    ) -> Result<(), tokio_postgres::Error> {
        let rows = &changes.rows;
        if rows.is_empty() {
            return Ok(());
        }
        let cursors: Vec<_> = rows.iter().map(|row| signed(row.cursor)).collect();
        let agents: Vec<_> = rows.iter().map(|row| signed(row.agent)).collect();
        let sequences: Vec<_> = rows.iter().map(|row| signed(row.sequence)).collect();
        let kinds: Vec<_> = rows
            .iter()
            .map(|row| i16::from(row.kind.number()))
            .collect();
        let records: Vec<_> = rows.iter().map(|row| &row.bytes[..]).collect();
        client
            .execute(
                &self.insert,
                &[&cursors, &agents, &sequences, &kinds, &records],
            )
            .await?;
        Ok(())
    }

    async fn mark(&self, client: &Client, changes: &Changes) -> Result<(), tokio_postgres::Error> {
        if let Some(mark) = changes.mark {
            let cursor = signed(mark.cursor);
            client
                .execute(&self.mark, &[&cursor, &mark.committed_at, &mark.newest])
                .await?;
        }
        Ok(())
    }

    async fn set_head(&self, client: &Client, head: &Head) -> Result<(), tokio_postgres::Error> {
        let [last, horizon, bytes, agents, epoch] =
            [head.last, head.horizon, head.bytes, head.agents, head.epoch].map(signed);
        client
            .execute(
                &self.set_head,
                &[
                    &last,
                    &horizon,
                    &bytes,
                    &agents,
                    &epoch,
                    &head.committed_at,
                    &head.marked_at,
                    &head.newest,
                ],
            )
            .await?;
        Ok(())
    }
}

fn head_of(row: &tokio_postgres::Row) -> Result<Head, Cause> {
    Ok(Head {
        last: unsigned(row.try_get(0)?),
        horizon: unsigned(row.try_get(1)?),
        bytes: unsigned(row.try_get(2)?),
        agents: unsigned(row.try_get(3)?),
        epoch: unsigned(row.try_get(4)?),
        committed_at: row.try_get(5)?,
        marked_at: row.try_get(6)?,
        newest: row.try_get(7)?,
    })
}

pub(super) async fn head(client: &Client) -> Result<Head, Cause> {
    head_of(&client.query_one(HEAD, &[]).await?)
}

/// The next rows after a cursor.
pub(super) async fn after(client: &Client, after: u64, limit: usize) -> Result<Vec<Row>, Cause> {
    let (after, limit) = (signed(after), limit_of(limit));
    let query = "SELECT cursor, kind, record FROM log WHERE cursor > $1 ORDER BY cursor LIMIT $2";
    let parameters: Parameters<'_, 2> = [(&after, Type::INT8), (&limit, Type::INT8)];
    rows(client.query_typed(query, &parameters).await?)
}

/// The last events of collectors.
pub(super) async fn own(client: &Client, limit: usize) -> Result<Vec<Row>, Cause> {
    let (node, limit) = (Source::collector(0).node, limit_of(limit));
    let query = "SELECT cursor, kind, record FROM agents JOIN log ON log.agent = agents.id
        WHERE node = $1 ORDER BY agents.epoch DESC, log.sequence DESC LIMIT $2";
    let parameters: Parameters<'_, 2> = [(&node, Type::TEXT), (&limit, Type::INT8)];
    rows(client.query_typed(query, &parameters).await?)
}

pub(super) async fn event(
    client: &Client,
    source: &Source,
    sequence: u64,
) -> Result<Option<Row>, Cause> {
    let (epoch, sequence) = (signed(source.epoch), signed(sequence));
    let query = "SELECT cursor, kind, record FROM agents JOIN log ON log.agent = agents.id
        WHERE node = $1 AND epoch = $2 AND log.sequence = $3 AND kind = 0";
    let parameters: Parameters<'_, 3> = [
        (&source.node, Type::TEXT),
        (&epoch, Type::INT8),
        (&sequence, Type::INT8),
    ];
    let found = rows(client.query_typed(query, &parameters).await?)?;
    Ok(found.into_iter().next())
}

/// The highest sequence of an agent; 0 when none.
pub(super) async fn highest(client: &Client, source: &Source) -> Result<u64, Cause> {
    let epoch = signed(source.epoch);
    let query = "SELECT sequence FROM agents WHERE node = $1 AND epoch = $2";
    number(
        client,
        query,
        &[(&source.node, Type::TEXT), (&epoch, Type::INT8)],
    )
    .await
}

/// A cursor that only events raised earlier lie before.
pub(super) async fn before(client: &Client, since: i64) -> Result<u64, Cause> {
    let query =
        "SELECT cursor FROM marks WHERE newest < $1 ORDER BY newest DESC, cursor DESC LIMIT 1";
    let marked = number(client, query, &[(&since, Type::INT8)]).await?;
    Ok(marked.max(horizon(client).await?))
}

pub(super) async fn committed_before(client: &Client, at: i64) -> Result<u64, Cause> {
    let query = "SELECT cursor FROM marks WHERE committed_at < $1
        ORDER BY committed_at DESC, cursor DESC LIMIT 1";
    number(client, query, &[(&at, Type::INT8)]).await
}

pub(super) async fn horizon(client: &Client) -> Result<u64, Cause> {
    number(client, "SELECT horizon FROM head", &[]).await
}

/// Cursors and sizes of the first rows after the horizon.
pub(super) async fn sizes(
    client: &Client,
    horizon: u64,
    limit: usize,
) -> Result<Vec<(u64, u64)>, Cause> {
    let (horizon, limit) = (signed(horizon), limit_of(limit));
    let query = "SELECT cursor, octet_length(record)::bigint FROM log WHERE cursor > $1
        ORDER BY cursor LIMIT $2";
    let parameters: Parameters<'_, 2> = [(&horizon, Type::INT8), (&limit, Type::INT8)];
    let found = client.query_typed(query, &parameters).await?;
    found
        .iter()
        .map(|row| Ok((unsigned(row.try_get(0)?), unsigned(row.try_get(1)?))))
        .collect()
}

pub(super) async fn remove(client: &Client, through: u64) -> Result<(), Cause> {
    let through = signed(through);
    let through: Parameters<'_, 1> = [(&through, Type::INT8)];
    let log = client.query_typed("DELETE FROM log WHERE cursor <= $1", &through);
    let marks = client.query_typed("DELETE FROM marks WHERE cursor <= $1", &through);
    future::try_join(log, marks).await?;
    Ok(())
}

/// Removes what is known of agents that nothing is kept of, but of each node's newest.
pub(super) async fn forget(client: &Client) -> Result<(), Cause> {
    let forget = "DELETE FROM agents
        WHERE epoch < (SELECT max(epoch) FROM agents AS newer WHERE newer.node = agents.node)
          AND NOT EXISTS (SELECT 1 FROM log WHERE log.agent = agents.id)";
    Ok(client.batch_execute(forget).await?)
}

type Parameters<'a, const COUNT: usize> = [(&'a (dyn ToSql + Sync), Type); COUNT];

/// The number that a query finds, or 0.
async fn number(
    client: &Client,
    query: &str,
    parameters: &[(&(dyn ToSql + Sync), Type)],
) -> Result<u64, Cause> {
    let found = client.query_typed(query, parameters).await?;
    match found.first() {
        Some(row) => Ok(unsigned(row.try_get(0)?)),
        None => Ok(0),
    }
}

fn rows(found: Vec<tokio_postgres::Row>) -> Result<Vec<Row>, Cause> {
    let row = |columns: tokio_postgres::Row| {
        let kind: i16 = columns.try_get(1)?;
        Ok(Row {
            cursor: unsigned(columns.try_get(0)?),
            kind: Kind::of_number(u8::try_from(kind).unwrap_or(u8::MAX)),
            bytes: columns.try_get(2)?,
        })
    };
    found.into_iter().map(row).collect()
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
