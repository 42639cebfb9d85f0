//! The cursors of outputs, on a connection of their own: the file is one collector's, and so are they.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    super::{engine::signed, error::Cause},
    schema,
};

/// Where they are.
#[derive(Clone, Debug)]
pub(in crate::store) struct Cursors(PathBuf);

/// The connection.
#[derive(Clone, Debug)]
pub(crate) struct Held(Arc<Mutex<Connection>>);

impl Cursors {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.into())
    }

    pub(in crate::store) async fn hold(&self) -> Result<Held, Cause> {
        let path = self.0.clone();
        let opened = tokio::task::spawn_blocking(move || schema::open_beside(&path));
        let connection = opened.await.map_err(|_| Cause::Ended)??;
        Ok(Held(Arc::new(Mutex::new(connection))))
    }
}

impl Held {
    pub(in crate::store) async fn load(&self, output: &str) -> Result<Option<u64>, Cause> {
        let output = output.to_owned();
        self.ask(move |connection| {
            connection
                .prepare_cached("SELECT cursor FROM outputs WHERE name = ?1")?
                .query_row([output], |row| row.get(0))
                .optional()
        })
        .await
    }

    pub(in crate::store) async fn keep(&self, output: &str, cursor: u64) -> Result<(), Cause> {
        let output = output.to_owned();
        self.ask(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO outputs (name, cursor) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor",
                )?
                .execute(params![output, signed(cursor)])
                .map(drop)
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Cause> {
        let connection = Arc::clone(&self.0);
        let asked = tokio::task::spawn_blocking(move || {
            question(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(asked.await.map_err(|_| Cause::Ended)??)
    }
}
