//! What a store does alone: an insert loop into the same tables, with the same durability, and no collector.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use api::{encoding, v1};
use bytes::Bytes;
use rusqlite::{Connection, params};
use tests::Postgres;
use tokio_postgres::NoTls;

use super::{event::event, ingest::BATCH, runtime, store::Store};

/// The log and the index by which an event is found, as the collector makes them.
const TABLES: &str = "CREATE TABLE log (cursor bigint PRIMARY KEY, agent bigint NOT NULL, \
                      sequence bigint NOT NULL, kind smallint NOT NULL, record bytea NOT NULL);
                      CREATE INDEX log_by_id ON log (agent, sequence)";
const SQLITE_TABLES: &str = "CREATE TABLE log (cursor INTEGER PRIMARY KEY, agent INTEGER NOT NULL, \
                             sequence INTEGER NOT NULL, kind INTEGER NOT NULL, record BLOB NOT NULL) STRICT;
                             CREATE INDEX log_by_id ON log (agent, sequence)";

/// Agents whose events take turns, a batch each.
const AGENTS: i64 = 8;

/// Events a second, each transaction of as many as a batch has.
pub(super) fn rate(store: &Store, time: Duration) -> Result<f64> {
    match store.server() {
        None => sqlite(store, time),
        Some(server) => runtime()?.block_on(postgres(server, time)),
    }
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn sqlite(store: &Store, time: Duration) -> Result<f64> {
    let mut connection = Connection::open(store.folder().join("bare.db"))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(SQLITE_TABLES)?;
    let record = one();
    let start = Instant::now();
    let mut cursor = 0_i64;
    while start.elapsed() < time {
        let transaction = connection.transaction()?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, 0, ?4)")?;
        for _ in 0..BATCH {
            let (agent, sequence) = next(&mut cursor);
            insert.execute(params![cursor, agent, sequence, &record[..]])?;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(cursor as f64 / start.elapsed().as_secs_f64())
}

/// One statement an event, all of a batch on their way at once.
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
async fn postgres(server: &Postgres, time: Duration) -> Result<f64> {
    let (mut client, connection) = tokio_postgres::connect(&server.url(), NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(TABLES).await?;
    let record = one();
    let insert = client
        .prepare("INSERT INTO log VALUES ($1, $2, $3, 0, $4)")
        .await?;
    let start = Instant::now();
    let mut cursor = 0_i64;
    while start.elapsed() < time {
        let transaction = client.transaction().await?;
        let mut waiting = Vec::new();
        for _ in 0..BATCH {
            let (agent, sequence) = next(&mut cursor);
            let (transaction, insert, record) = (&transaction, &insert, &record);
            waiting.push(async move {
                let row: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                    [&cursor, &agent, &sequence, &&record[..]];
                transaction.execute(insert, &row).await
            });
        }
        futures_util::future::try_join_all(waiting).await?;
        transaction.commit().await?;
    }
    Ok(cursor as f64 / start.elapsed().as_secs_f64())
}

/// Whose event is the next, and its sequence.
const fn next(cursor: &mut i64) -> (i64, i64) {
    let batch = BATCH as i64;
    let (turn, within) = (*cursor / batch, *cursor % batch);
    *cursor += 1;
    (turn % AGENTS + 1, turn / AGENTS * batch + within + 1)
}

#[expect(clippy::disallowed_methods, reason = "any time will do")]
fn one() -> Bytes {
    let id = v1::EventId {
        node: "node-1".into(),
        epoch: 1,
        sequence: 1,
    };
    encoding::encode(&event(1, id, SystemTime::now()))
}
