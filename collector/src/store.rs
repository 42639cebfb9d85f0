//! The log of events and gaps: one SQLite file, one writer, and readers that never wait for it.

mod metrics;
mod read;
mod schema;
mod write;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use api::v1;
use prost_types::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use metrics::Metrics;
use read::Readers;
pub(crate) use read::{Page, Query};
use write::Command;

/// Batches that wait for the writer; beyond that their senders wait.
const QUEUE: usize = 256;

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

/// What an agent sent at once. It is stored as a whole or not at all.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) node: String,
    pub(crate) epoch: u64,
    /// Events the agent lost before these.
    pub(crate) dropped: u64,
    pub(crate) events: Vec<v1::Event>,
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Event(Box<v1::Event>),
    Gap(v1::Gap),
}

impl Entry {
    pub(crate) fn event(self) -> Option<v1::Event> {
        match self {
            Self::Event(event) => Some(*event),
            Self::Gap(_) => None,
        }
    }
}

/// The log. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    commands: mpsc::Sender<Command>,
    last: watch::Receiver<u64>,
    readers: Arc<Readers>,
}

/// The writer's thread, to be waited for at the end.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: mpsc::Sender<Command>,
    thread: thread::JoinHandle<()>,
}

impl Store {
    /// Opens the log, and creates it when there is none.
    pub(crate) fn open(path: &Path, metrics: Metrics) -> Result<(Self, Writer), StoreError> {
        let lock = lock(path)?;
        let connection = schema::open(path)?;
        let last = schema::last_cursor(&connection).map_err(|source| StoreError::Open {
            path: path.into(),
            source: Arc::new(source),
        })?;
        let readers = Arc::new(Readers::open(path)?);
        metrics.cursor(last);
        let (publish, last) = watch::channel(last);
        let (commands, receiver) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                write::run(connection, receiver, &publish, &metrics);
                drop(lock);
            })
            .map_err(|error| StoreError::Thread(Arc::new(error)))?;
        let writer = Writer {
            commands: commands.clone(),
            thread,
        };
        let store = Self {
            commands,
            last,
            readers,
        };
        Ok((store, writer))
    }

    /// Queues a batch, waiting for room. What it returns resolves after the commit.
    pub(crate) async fn append(
        &self,
        append: Append,
    ) -> Result<impl Future<Output = Result<(), StoreError>> + Send + use<>, StoreError> {
        let (reply, committed) = oneshot::channel();
        self.commands
            .send(Command::Append(append, reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        Ok(async move { committed.await.map_err(|_| StoreError::Closed)? })
    }

    /// The last committed cursor, and a wake-up for each commit.
    pub(crate) fn last(&self) -> watch::Receiver<u64> {
        self.last.clone()
    }

    /// Highest stored sequence of an agent's epoch; 0 when none.
    pub(crate) async fn highest_sequence(
        &self,
        node: String,
        epoch: u64,
    ) -> Result<u64, StoreError> {
        self.readers
            .read(move |connection| read::highest_sequence(connection, &node, epoch))
            .await
    }

    /// The next matching entries.
    pub(crate) async fn page(&self, query: Query) -> Result<Page, StoreError> {
        self.readers
            .read(move |connection| read::page(connection, &query))
            .await
    }

    /// A cursor that only events raised earlier lie before.
    pub(crate) async fn before(&self, since: Timestamp) -> Result<u64, StoreError> {
        self.readers
            .read(move |connection| read::before(connection, since))
            .await
    }

    /// One event by its id.
    pub(crate) async fn event(&self, id: v1::EventId) -> Result<Option<v1::Event>, StoreError> {
        self.readers
            .read(move |connection| read::event(connection, &id))
            .await
    }
}

impl Writer {
    /// Stores what is queued, and ends. Later appends fail.
    pub(crate) async fn close(self) {
        drop(self.commands.send(Command::Close).await);
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the database writer did not end well");
        }
    }
}

/// Two collectors on one file would not see each other's commits. The lock goes with the process.
fn lock(path: &Path) -> Result<fs::File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let refused = |source| StoreError::Lock {
        path: name.clone(),
        source: Arc::new(source),
    };
    let file = fs::File::create(&name).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::Taken { path: path.into() }),
        Err(fs::TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// Nanoseconds since 1970, as the log orders times; saturates.
fn nanoseconds(at: Timestamp) -> i64 {
    at.seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(i64::from(at.nanos))
}
