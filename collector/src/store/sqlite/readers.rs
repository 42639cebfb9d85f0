//! Reads, on connections of their own.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{
    super::{
        engine::{Rows, Source},
        entry::Row,
        error::{Cause, StoreError},
    },
    queries, schema,
};

/// Reads that run at once; more wait for one of them.
const READERS: usize = 4;

/// Idle connections, one for each permit.
#[derive(Clone, Debug)]
pub(in crate::store) struct Readers(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let idle = (0..READERS)
            .map(|_| schema::open_reader(path))
            .collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Pool {
            permits: Semaphore::new(READERS),
            idle: Mutex::new(idle),
        })))
    }

    pub(in crate::store) async fn rows(&self, after: u64, limit: usize) -> Result<Rows, Cause> {
        self.read(move |connection| {
            let rows = queries::rows(connection, after, limit)?;
            Ok((rows, queries::horizon(connection)?))
        })
        .await
    }

    pub(in crate::store) async fn before(&self, since: i64) -> Result<u64, Cause> {
        self.read(move |connection| queries::before(connection, since))
            .await
    }

    pub(in crate::store) async fn event(
        &self,
        source: Source,
        sequence: u64,
    ) -> Result<Option<Row>, Cause> {
        self.read(move |connection| queries::event(connection, &source, sequence))
            .await
    }

    pub(in crate::store) async fn at(&self, cursors: Vec<u64>) -> Result<Vec<Row>, Cause> {
        self.read(move |connection| queries::at(connection, &cursors))
            .await
    }

    pub(in crate::store) async fn highest(&self, source: Source) -> Result<u64, Cause> {
        let held = self.read(move |connection| queries::held(connection, &source));
        Ok(held.await?.map_or(0, |held| held.sequence))
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Cause> {
        let pool = Arc::clone(&self.0);
        let _permit = self.0.permits.acquire().await.map_err(|_| Cause::Ended)?;
        let read = tokio::task::spawn_blocking(move || {
            let connection = pool.take().ok_or(Cause::Ended)?;
            let result = query(&connection);
            pool.put(connection);
            Ok(result?)
        });
        read.await.map_err(|_| Cause::Ended)?
    }
}

impl Pool {
    fn take(&self) -> Option<Connection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn put(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}
