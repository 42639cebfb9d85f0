//! What is asked of the server.

use futures_util::future;
use tokio_postgres::{
    Client,
    types::{ToSql, Type},
};

use super::super::{
    engine::{Head, Source, signed},
    entry::{Kind, Row},
    error::Cause,
};

pub(super) const HEAD: &str =
    "SELECT last, horizon, bytes, agents, epoch, committed_at, marked_at, newest, log FROM head";

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

/// The rows at these cursors, in their order.
pub(super) async fn at(client: &Client, cursors: &[u64]) -> Result<Vec<Row>, Cause> {
    let cursors: Vec<i64> = cursors.iter().map(|it| signed(*it)).collect();
    let query = "SELECT cursor, kind, record FROM unnest($1) WITH ORDINALITY AS wanted (at, place)
        JOIN log ON log.cursor = wanted.at ORDER BY place";
    let parameters: Parameters<'_, 1> = [(&cursors, Type::INT8_ARRAY)];
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

/// Removes what is known of agents that nothing is kept of, but of each node's newest: by its
/// clock, and by when it came.
pub(super) async fn forget(client: &Client) -> Result<(), Cause> {
    let forget = "DELETE FROM agents
        WHERE epoch < (SELECT max(epoch) FROM agents AS newer WHERE newer.node = agents.node)
          AND id < (SELECT max(id) FROM agents AS later WHERE later.node = agents.node)
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

pub(super) fn rows(found: Vec<tokio_postgres::Row>) -> Result<Vec<Row>, Cause> {
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

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn head_of(row: &tokio_postgres::Row) -> Result<Head, Cause> {
    Ok(Head {
        last: unsigned(row.try_get(0)?),
        horizon: unsigned(row.try_get(1)?),
        bytes: unsigned(row.try_get(2)?),
        agents: unsigned(row.try_get(3)?),
        epoch: unsigned(row.try_get(4)?),
        committed_at: row.try_get(5)?,
        marked_at: row.try_get(6)?,
        newest: row.try_get(7)?,
        log: unsigned(row.try_get(8)?),
    })
}
