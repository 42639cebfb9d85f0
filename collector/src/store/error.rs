//! Why the log fails.

use std::{error::Error, io, iter, path::PathBuf, sync::Arc};

use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

/// What a database said.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Cause {
    /// SQLite did.
    #[error(transparent)]
    Sqlite(Arc<rusqlite::Error>),
    /// PostgreSQL did, or the network.
    #[error(transparent)]
    Postgres(Arc<tokio_postgres::Error>),
    /// It took too long.
    #[error("no answer came within {0} seconds")]
    Silence(u64),
    /// The connection was lost within a transaction.
    #[error("the connection was cut")]
    Cut,
    /// The process does.
    #[error("the collector is shutting down")]
    Ended,
    /// A file of its certificates is at fault.
    #[error("cannot use the certificates of {}: {reason}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// TLS cannot be spoken.
    #[error("cannot speak TLS: {0}")]
    Tls(rustls::Error),
}

impl From<rusqlite::Error> for Cause {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl From<tokio_postgres::Error> for Cause {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(Arc::new(error))
    }
}

impl Cause {
    /// There is no room for more.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(ErrorCode::DiskFull),
            Self::Postgres(error) => error.code() == Some(&SqlState::DISK_FULL),
            _ => false,
        }
    }

    /// It may be gone when it is tried again, as with a connection that was cut.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Sqlite(_) | Self::Certificates { .. } | Self::Tls(_) => false,
            Self::Postgres(error) => match error.code() {
                None => true,
                Some(code) => {
                    // Connections; resources; what an operator does; what a transaction may do again.
                    ["08", "53", "57", "40"].contains(&code.code().get(..2).unwrap_or_default())
                        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
                }
            },
            Self::Silence(_) | Self::Cut | Self::Ended => true,
        }
    }
}

/// Why the log could not be opened, written or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The file could not be opened or created.
    #[error("cannot open the database {}: check that its folder exists and is writable, or choose another file with --database", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<rusqlite::Error>,
    },
    /// The database could not be reached, or not be used.
    #[error(
        "cannot use the database {database}: check that its server runs and is no standby, and that the user may log in and create tables; the URL is that of --database or --database-url-file"
    )]
    Connect {
        /// Where it is, without the password.
        database: String,
        /// Why.
        source: Cause,
    },
    /// The file's lock could not be taken.
    #[error("cannot lock the database with {}: check that its folder exists and is writable, or choose another file with --database", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// Another collector has it.
    #[error("cannot use the database {}: another collector does; stop it, or choose another file with --database", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// The file is another program's database.
    #[error(
        "cannot use the database {database}: it is another program's; choose another one with --database"
    )]
    Foreign {
        /// Where it is.
        database: String,
    },
    /// The database was written by a later version.
    #[error(
        "cannot use the database {database}: its schema {version} is newer than this collector knows; install a newer collector"
    )]
    Newer {
        /// Where it is.
        database: String,
        /// Its schema's.
        version: u32,
    },
    /// The writer could not be started.
    #[error("cannot start the database writer")]
    Thread(#[source] Arc<io::Error>),
    /// A transaction failed; nothing of it is known to be stored.
    #[error("cannot write to the database: check its disk, and its server if it has one")]
    Write(#[source] Cause),
    /// There is no room.
    #[error(
        "cannot write to the database, because its disk is full: make room, or keep less with --retain or --retain-bytes"
    )]
    Full(#[source] Cause),
    /// The writer has been behind for long.
    #[error("the database does not keep up: its disk is slow, or more is sent than it can take")]
    Busy,
    /// A batch follows one that is not in the log.
    #[error(
        "the batch follows sequence {after}, but the log holds {highest} at most; send again what is missing"
    )]
    Behind {
        /// What the batch follows.
        after: u64,
        /// What the log holds.
        highest: u64,
    },
    /// A query failed.
    #[error("cannot read the database: check its disk, and its server if it has one")]
    Read(#[source] Cause),
    /// What is to be read is gone.
    #[error(
        "events after cursor {after} are no longer kept; the earliest cursor that is has number {earliest}: start from 0 to read from there on"
    )]
    Removed {
        /// Where to read from.
        after: u64,
        /// Of the first event or gap that is kept.
        earliest: u64,
    },
    /// A stored event is none.
    #[error("cannot decode the event at cursor {0} of the database: the database is damaged")]
    Damaged(u64),
    /// The collector shuts down.
    #[error("the database is closed: the collector is shutting down")]
    Closed,
}

impl StoreError {
    pub(super) fn write(cause: Cause) -> Self {
        if cause.is_full() {
            return Self::Full(cause);
        }
        Self::Write(cause)
    }

    /// Whether it may be gone when it is tried again.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Closed | Self::Write(_) => true,
            Self::Read(cause) => cause.may_pass(),
            _ => false,
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
