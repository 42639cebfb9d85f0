//! The log of events and gaps: one SQLite file, one writer, and readers that never wait for it.

mod entry;
mod error;
mod metrics;
mod read;
mod recall;
mod schema;
mod write;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use api::v1::{self, Timestamp};
pub(crate) use entry::{Append, Encoded, Entry};
pub(crate) use error::StoreError;
pub(crate) use metrics::Metrics;
use read::Readers;
pub(crate) use read::{PAGE_BYTES, Page, Query};
use tokio::sync::{mpsc, oneshot, watch};
use write::Command;

use crate::correlate::Correlator;

/// Batches that wait for the writer; beyond that their senders wait.
const QUEUE: usize = 256;

/// The log. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    commands: mpsc::Sender<Command>,
    last: watch::Receiver<u64>,
    readers: Arc<Readers>,
    /// Whether the last commit failed.
    failing: Arc<AtomicBool>,
}

/// The writer's thread, to be waited for at the end.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: mpsc::Sender<Command>,
    thread: thread::JoinHandle<()>,
}

impl Store {
    /// Opens the log, and creates it when there is none.
    pub(crate) fn open(
        path: &Path,
        correlator: Correlator,
        metrics: Metrics,
    ) -> Result<(Self, Writer), StoreError> {
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
        let failing = Arc::new(AtomicBool::new(false));
        let failed = Arc::clone(&failing);
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                let log = write::Log {
                    connection,
                    correlator,
                };
                write::run(log, receiver, &publish, &failed, &metrics);
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
            failing,
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

    /// Lets time end what it ends; false once the log is closed.
    pub(crate) async fn tick(&self) -> bool {
        self.commands.send(Command::Tick).await.is_ok()
    }

    /// Whether commits succeed. After one that failed another is tried: nobody else may do so, since a
    /// collector that is not ready is sent no agents.
    pub(crate) async fn writable(&self) -> Result<(), StoreError> {
        if !self.failing.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (reply, tried) = oneshot::channel();
        self.commands
            .send(Command::Try(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        tried.await.map_err(|_| StoreError::Closed)?
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
