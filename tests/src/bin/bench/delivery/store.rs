//! Where a collector keeps its log: a file, or a database of a PostgreSQL of our own.

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use tempfile::TempDir;
use tests::Postgres;

const LIMIT: Duration = Duration::from_secs(60);

/// Which engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// An empty store.
pub(crate) struct Store {
    folder: TempDir,
    server: Option<Postgres>,
}

impl Store {
    pub(crate) fn new(engine: Engine) -> Result<Self> {
        let server = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Postgres::start(LIMIT)?),
        };
        Ok(Self {
            folder: tempfile::tempdir()?,
            server,
        })
    }

    /// As `--database` takes it.
    pub(crate) fn database(&self) -> String {
        match &self.server {
            None => self.folder.path().join("picket.db").display().to_string(),
            Some(server) => server.url(),
        }
    }

    /// The folder, for a file beside.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The server, if it is one.
    pub(crate) const fn server(&self) -> Option<&Postgres> {
        self.server.as_ref()
    }
}
