//! What a store does alone: an insert loop without a collector, with the same durability.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use api::{encoding, v1};
use rusqlite::{Connection, params};

use super::{event::event, ingest::BATCH, store::Store};

const TABLE: &str = "CREATE TABLE log (cursor INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, \
                     epoch INTEGER NOT NULL, sequence INTEGER, raised_at INTEGER, event BLOB)";

/// Events a second, each transaction of as many as a batch has.
pub(super) fn rate(store: &Store, time: Duration) -> Result<f64> {
    match store.server() {
        None => sqlite(store, time),
        Some(_) => anyhow::bail!("not yet"),
    }
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn sqlite(store: &Store, time: Duration) -> Result<f64> {
    let mut connection = Connection::open(store.folder().join("bare.db"))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(TABLE)?;
    let bytes = one();
    let start = Instant::now();
    let mut inserted = 0_u64;
    while start.elapsed() < time {
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare_cached(
            "INSERT INTO log (node, epoch, sequence, raised_at, event) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for _ in 0..BATCH {
            inserted += 1;
            insert.execute(params!["node-1", 1, inserted, inserted, &bytes[..]])?;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(inserted as f64 / start.elapsed().as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "any time will do")]
fn one() -> bytes::Bytes {
    let id = v1::EventId {
        node: "node-1".into(),
        epoch: 1,
        sequence: 1,
    };
    encoding::encode(&event(1, id, SystemTime::now()))
}
