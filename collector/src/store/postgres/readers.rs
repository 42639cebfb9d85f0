//! Reads, on connections of their own.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future;
use tokio::{sync::Semaphore, time::timeout};
use tokio_postgres::Client;
use tokio_util::task::AbortOnDropHandle;

use super::{
    super::{
        engine::{Rows, Source},
        entry::Row,
        error::Cause,
    },
    connect, queries,
    server::{PATIENCE, Server},
};

/// Reads that run at once; more wait for one of them.
const READERS: usize = 4;

/// Clones share it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Readers(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    server: Server,
    permits: Semaphore,
    /// Idle connections, one for each permit at most.
    idle: Mutex<Vec<Arc<Client>>>,
    /// Goes with the last reader.
    _listening: AbortOnDropHandle<()>,
}

impl Readers {
    pub(super) fn new(server: Server, listening: AbortOnDropHandle<()>) -> Self {
        Self(Arc::new(Pool {
            server,
            permits: Semaphore::new(READERS),
            idle: Mutex::default(),
            _listening: listening,
        }))
    }

    pub(in crate::store) async fn rows(&self, after: u64, limit: usize) -> Result<Rows, Cause> {
        self.read(|client| async move {
            let rows = queries::after(&client, after, limit);
            future::try_join(rows, queries::horizon(&client)).await
        })
        .await
    }

    pub(in crate::store) async fn before(&self, since: i64) -> Result<u64, Cause> {
        self.read(|client| async move { queries::before(&client, since).await })
            .await
    }

    pub(in crate::store) async fn event(
        &self,
        source: Source,
        sequence: u64,
    ) -> Result<Option<Row>, Cause> {
        let source = &source;
        self.read(|client| async move { queries::event(&client, source, sequence).await })
            .await
    }

    pub(in crate::store) async fn at(&self, cursors: &[u64]) -> Result<Vec<Row>, Cause> {
        self.read(|client| async move { queries::at(&client, cursors).await })
            .await
    }

    pub(in crate::store) async fn highest(&self, source: Source) -> Result<u64, Cause> {
        let source = &source;
        self.read(|client| async move { queries::highest(&client, source).await })
            .await
    }

    async fn read<T, Answer: Future<Output = Result<T, Cause>> + Send>(
        &self,
        query: impl Fn(Arc<Client>) -> Answer,
    ) -> Result<T, Cause> {
        let pool = &self.0;
        let _permit = pool.permits.acquire().await.map_err(|_| Cause::Ended)?;
        let read = async {
            // One that lay idle may have been cut long ago, which says nothing of the server; what cuts it
            // is told of before it is closed.
            while let Some(client) = pool.take() {
                match query(Arc::clone(&client)).await {
                    Err(cause) if client.is_closed() || cause.may_pass() => {}
                    result => {
                        pool.put(client);
                        return result;
                    }
                }
            }
            let client = Arc::new(connect::connect(&pool.server).await?);
            let result = query(Arc::clone(&client)).await?;
            pool.put(client);
            Ok(result)
        };
        let read = timeout(PATIENCE, read).await;
        read.unwrap_or(Err(Cause::Silence(PATIENCE.as_secs())))
    }
}

impl Pool {
    fn take(&self) -> Option<Arc<Client>> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn put(&self, client: Arc<Client>) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(client);
    }
}
