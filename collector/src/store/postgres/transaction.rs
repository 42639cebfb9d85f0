//! Transactions of a writer: what can be asked at once travels at once.

use futures_util::future;
use tokio_postgres::{Client, Statement, types::ToSql};

use super::{
    super::{
        engine::{Begun, Changes, Head, Held, Source, signed},
        entry::Row,
        error::Cause,
    },
    queries,
};

/// What replicas listen to.
pub(super) const CHANNEL: &str = "picket_log";

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
            head: client
                .prepare(&format!("{} FOR UPDATE", queries::HEAD))
                .await?,
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
                    id: queries::unsigned(row.try_get(1)?),
                    sequence: queries::unsigned(row.try_get(2)?),
                });
            }
        }
        Ok(Begun {
            head: queries::head_of(&locked)?,
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
        let (after, limit) = (signed(after), queries::limit_of(limit));
        queries::rows(client.query(&self.events, &[&after, &limit]).await?)
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
