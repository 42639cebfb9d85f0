//! Why the log fails.

use std::{io, path::PathBuf, sync::Arc};

/// Why the log could not be opened, written or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The file could not be opened or created.
    #[error("cannot open the database {}: check that its folder exists and is writable, or choose another file with --database", path.display())]
    Open {
        path: PathBuf,
        source: Arc<rusqlite::Error>,
    },
    /// The file's lock could not be taken.
    #[error("cannot lock the database with {}: check that its folder exists and is writable, or choose another file with --database", path.display())]
    Lock {
        path: PathBuf,
        source: Arc<io::Error>,
    },
    /// Another collector has it.
    #[error("cannot use the database {}: another collector does; stop it, or choose another file with --database", path.display())]
    Taken { path: PathBuf },
    /// The file is another program's database.
    #[error("cannot use the database {}: it is another program's; choose another file with --database", path.display())]
    Foreign { path: PathBuf },
    /// The file was written by a later version.
    #[error("cannot use the database {}: its schema {version} is newer than this collector knows; install a newer collector", path.display())]
    Newer { path: PathBuf, version: u32 },
    /// The writer could not be started.
    #[error("cannot start the database writer")]
    Thread(#[source] Arc<io::Error>),
    /// A transaction failed; nothing of it is stored.
    #[error("cannot write to the database: check its disk")]
    Write(#[source] Arc<rusqlite::Error>),
    /// A query failed.
    #[error("cannot read the database: check its disk")]
    Read(#[source] Arc<rusqlite::Error>),
    /// A stored event is none.
    #[error("cannot decode the event at cursor {0} of the database: the file is damaged")]
    Damaged(u64),
    /// The collector shuts down.
    #[error("the database is closed: the collector is shutting down")]
    Closed,
}
