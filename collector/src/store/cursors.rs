//! Up to where each output was served. One collector at a time serves them: whoever holds them.

use super::{error::StoreError, postgres, sqlite};

/// Where they are kept.
#[derive(Clone, Debug)]
pub(super) enum Cursors {
    Sqlite(sqlite::Cursors),
    Postgres(postgres::Cursors),
}

impl Cursors {
    /// Waits until no other collector holds them.
    pub(super) async fn hold(&self) -> Result<Held, StoreError> {
        match self {
            Self::Sqlite(cursors) => cursors.hold().await.map(Held::Sqlite),
            Self::Postgres(cursors) => cursors.hold().await.map(Held::Postgres),
        }
        .map_err(StoreError::Write)
    }
}

/// The right to serve all outputs. Dropping it lets another collector do so; an error says that it may be lost.
#[derive(Debug)]
pub(crate) enum Held {
    Sqlite(sqlite::Held),
    Postgres(postgres::Held),
}

impl Held {
    /// Up to where the output of this name was served; none when it never was.
    pub(crate) async fn load(&self, output: &str) -> Result<Option<u64>, StoreError> {
        match self {
            Self::Sqlite(held) => held.load(output).await,
            Self::Postgres(held) => held.load(output).await,
        }
        .map_err(StoreError::Read)
    }

    /// Notes up to where it is served now. This survives the process; after a loss of power the one before may
    /// be found.
    pub(crate) async fn keep(&self, output: &str, cursor: u64) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(held) => held.keep(output, cursor).await,
            Self::Postgres(held) => held.keep(output, cursor).await,
        }
        .map_err(StoreError::write)
    }
}
