//! The cursors of outputs. Whoever holds them has locked them for as long as its connection lasts, and moves them
//! over that connection alone: one that was replaced without knowing can move nothing.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::{
    super::{engine::signed, error::Cause},
    connect, queries,
    server::{PATIENCE, Server},
};

/// Held by who serves the outputs: the number after that of the schema's.
const LOCK: i64 = 0x7069_636b_6575;

/// How often those who do not serve them ask whether nobody does.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Where they are.
#[derive(Clone, Debug)]
pub(in crate::store) struct Cursors(Server);

/// The connection that has the lock.
#[derive(Debug)]
pub(crate) struct Held(Client);

impl Cursors {
    pub(super) const fn new(server: Server) -> Self {
        Self(server)
    }

    pub(in crate::store) async fn hold(&self) -> Result<Held, Cause> {
        let client = in_time(connect::connect(&self.0)).await?;
        loop {
            let asked = async {
                let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]);
                Ok(row.await?.try_get(0)?)
            };
            if in_time(asked).await? {
                return Ok(Held(client));
            }
            sleep(ASK_EVERY).await;
        }
    }
}

impl Held {
    pub(in crate::store) async fn load(&self, output: &str) -> Result<Option<u64>, Cause> {
        in_time(async {
            let query = "SELECT cursor FROM outputs WHERE name = $1";
            let row = self.0.query_opt(query, &[&output]).await?;
            Ok(row
                .map(|row| row.try_get(0).map(queries::unsigned))
                .transpose()?)
        })
        .await
    }

    pub(in crate::store) async fn keep(&self, output: &str, cursor: u64) -> Result<(), Cause> {
        in_time(async {
            let keep = "INSERT INTO outputs (name, cursor) VALUES ($1, $2)
                ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor";
            self.0.execute(keep, &[&output, &signed(cursor)]).await?;
            Ok(())
        })
        .await
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Cause>>) -> Result<T, Cause> {
    let answer = timeout(PATIENCE, answer).await;
    answer.unwrap_or(Err(Cause::Silence(PATIENCE.as_secs())))
}
