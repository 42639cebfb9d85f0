//! PostgreSQL: one database, several collectors that write to it in turn.
//!
//! Cursors are given in commit order, because whoever gives them has locked the row of `head`, and keeps it
//! until the commit is done. Each commit is told of by `NOTIFY`.

mod connect;
mod cursors;
mod listen;
mod queries;
mod readers;
mod schema;
mod server;
mod transaction;

pub(super) use cursors::{Cursors, Held};
pub(super) use readers::Readers;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::{
    bounds::Bounds,
    database::Postgres,
    engine::{Begun, Changes, Engine, Head, Source},
    entry::Row,
    error::{Cause, StoreError},
    metrics::Metrics,
};
use server::{PATIENCE, Server};
use transaction::Write;

/// The writer's connection.
#[derive(Debug)]
pub(super) struct Writer {
    server: Server,
    /// None after an error, until there is a new one.
    writing: Option<Writing>,
    /// A transaction has begun.
    within: bool,
}

#[derive(Debug)]
struct Writing {
    client: Client,
    write: Write,
}

impl Writing {
    async fn open(server: &Server) -> Result<Self, Cause> {
        let client = connect::connect(server).await?;
        let write = Write::prepare(&client).await?;
        Ok(Self { client, write })
    }
}

/// Opens the log, and creates it when there is none.
pub(super) async fn open(
    database: &Postgres,
    bounds: &Bounds,
    metrics: &Metrics,
) -> Result<(Writer, Readers, Cursors), StoreError> {
    let server = Server {
        database: database.clone(),
        metrics: metrics.clone(),
    };
    let refused = |source| StoreError::Connect {
        database: database.to_string(),
        source,
    };
    let mut client = connect::connect(&server).await.map_err(refused)?;
    let found = schema::prepare(&mut client).await.map_err(refused)?;
    let database = database.to_string();
    match found {
        schema::Found::Ours => {}
        schema::Found::Foreign => return Err(StoreError::Foreign { database }),
        schema::Found::Newer(version) => return Err(StoreError::Newer { database, version }),
    }
    let listening = listen::start(server.clone(), bounds.clone());
    let readers = Readers::new(server.clone(), listening);
    let cursors = Cursors::new(server.clone());
    let writer = Writer {
        server,
        writing: None,
        within: false,
    };
    Ok((writer, readers, cursors))
}

impl Writer {
    /// Asks the server. After an error it is with a new connection the next time, so that nothing is left of
    /// it; but what belongs to a transaction is asked where that began, or not at all.
    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&Writing) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let within = std::mem::take(&mut self.within);
        let known = self.writing.take();
        let known = known.filter(|known| !known.client.is_closed());
        let server = &self.server;
        let answer = async {
            let writing = match known {
                Some(known) => known,
                None if within => return Err(Cause::Cut),
                None => Writing::open(server).await?,
            };
            let answer = question(&writing).await?;
            Ok((writing, answer))
        };
        let answer = timeout(PATIENCE, answer).await;
        let (writing, answer) = answer.unwrap_or(Err(Cause::Silence(PATIENCE.as_secs())))?;
        self.writing = Some(writing);
        self.within = within;
        Ok(answer)
    }
}

impl Engine for Writer {
    async fn begin(&mut self, sources: &[Source], seen: u64) -> Result<Begun, Cause> {
        let begun = self
            .ask(async |it| it.write.begin(&it.client, sources, seen, Self::ROWS).await)
            .await?;
        self.within = true;
        Ok(begun)
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), Cause> {
        self.ask(async |it| it.write.commit(&it.client, changes).await)
            .await?;
        self.within = false;
        Ok(())
    }

    async fn head(&mut self) -> Result<Head, Cause> {
        self.ask(async |it| queries::head(&it.client).await).await
    }

    async fn rows(&mut self, after: u64) -> Result<Vec<Row>, Cause> {
        self.ask(async |it| it.write.events(&it.client, after, Self::ROWS).await)
            .await
    }

    async fn own(&mut self, limit: usize) -> Result<Vec<Row>, Cause> {
        self.ask(async |it| queries::own(&it.client, limit).await)
            .await
    }

    async fn before(&mut self, since: i64) -> Result<u64, Cause> {
        self.ask(async |it| queries::before(&it.client, since).await)
            .await
    }

    async fn committed_before(&mut self, at: i64) -> Result<u64, Cause> {
        self.ask(async |it| queries::committed_before(&it.client, at).await)
            .await
    }

    async fn sizes(&mut self, horizon: u64, limit: usize) -> Result<Vec<(u64, u64)>, Cause> {
        self.ask(async |it| queries::sizes(&it.client, horizon, limit).await)
            .await
    }

    async fn remove(&mut self, through: u64) -> Result<(), Cause> {
        self.ask(async |it| queries::remove(&it.client, through).await)
            .await
    }

    async fn forget(&mut self) -> Result<(), Cause> {
        self.ask(async |it| queries::forget(&it.client).await).await
    }

    // Its server has a vacuum and checkpoints of its own.
    async fn rest(&mut self, _grown: usize) {}
}
