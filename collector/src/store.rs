//! The log of events and gaps: one contract, in a file of SQLite or a database of PostgreSQL. One writer in each
//! collector, and readers that never wait for it.

mod bounds;
mod cursors;
mod database;
mod engine;
mod entry;
mod error;
mod metrics;
mod plan;
mod postgres;
mod read;
mod recall;
mod retention;
mod sqlite;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use api::v1::{self, Timestamp};
use bounds::Bounds;
use cursors::Cursors;
pub(crate) use cursors::Held;
pub use database::{Database, DatabaseError, Postgres};
use engine::Engine;
pub(crate) use entry::{Append, Entry, Record, nanoseconds};
pub(crate) use error::chain;
pub use error::{Cause, StoreError};
pub(crate) use metrics::Metrics;
use read::Readers;
pub(crate) use read::{PAGE_BYTES, Page, Query};
pub use retention::Retain;
use retention::Retention;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};
use writer::Command;

use crate::correlate::Correlator;

/// Batches that wait for the writer; beyond that their senders wait.
const QUEUE: usize = 1024;

/// Bytes of those batches; a batch alone may have more.
const QUEUE_BYTES: u32 = 64 * 1024 * 1024;

/// How long a sender waits before it is told to come again later.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long news of another collector's commit may take.
const NEWS: Duration = Duration::from_secs(1);

/// The log. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    commands: mpsc::Sender<Command>,
    room: Arc<Semaphore>,
    last: watch::Receiver<u64>,
    horizon: watch::Receiver<u64>,
    readers: Arc<Readers>,
    cursors: Cursors,
    /// Tells the log from others.
    id: u64,
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
    pub(crate) async fn open(
        database: &Database,
        retain: Retain,
        correlator: Correlator,
        metrics: Metrics,
    ) -> Result<(Self, Writer), StoreError> {
        let bounds = Bounds::new(metrics.clone());
        match database {
            Database::File(path) => {
                let (engine, readers, cursors) = sqlite::Sqlite::open(path)?;
                let beside = (Readers::Sqlite(readers), Cursors::Sqlite(cursors));
                Self::start(engine, beside, bounds, retain, correlator, metrics).await
            }
            Database::Postgres(database) => {
                let opened = postgres::open(database, &bounds, &metrics).await?;
                let (engine, readers, cursors) = opened;
                let beside = (Readers::Postgres(readers), Cursors::Postgres(cursors));
                Self::start(engine, beside, bounds, retain, correlator, metrics).await
            }
        }
    }

    async fn start<E: Engine + Send + 'static>(
        mut engine: E,
        (readers, cursors): (Readers, Cursors),
        bounds: Bounds,
        retain: Retain,
        mut correlator: Correlator,
        metrics: Metrics,
    ) -> Result<(Self, Writer), StoreError> {
        let head = match engine::reserve(&mut engine, now()).await {
            Ok(head) => {
                correlator.reset(head.epoch, 0);
                head
            }
            // What is there can be read, and there may be room again before something comes.
            Err(cause) if cause.is_full() => engine.head().await.map_err(StoreError::Read)?,
            Err(cause) => return Err(StoreError::write(cause)),
        };
        bounds.advance(head.last, head.horizon);
        let (last, horizon) = (bounds.watch_last(), bounds.watch_horizon());
        let (commands, receiver) = mpsc::channel(QUEUE);
        let failing = Arc::new(AtomicBool::new(false));
        let writer = writer::Writer {
            engine,
            correlator,
            bounds,
            failing: Arc::clone(&failing),
            retention: Retention::new(retain, head),
            metrics,
            seen: None,
            grown: 0,
        };
        let runtime = Handle::current();
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn(move || runtime.block_on(writer.run(receiver)))
            .map_err(|error| StoreError::Thread(Arc::new(error)))?;
        let writer = Writer {
            commands: commands.clone(),
            thread,
        };
        let store = Self {
            commands,
            room: Arc::new(Semaphore::new(
                usize::try_from(QUEUE_BYTES).unwrap_or(usize::MAX),
            )),
            last,
            horizon,
            readers: Arc::new(readers),
            cursors,
            id: head.log,
            failing,
        };
        Ok((store, writer))
    }

    /// Queues a batch, waiting for room, but not for long. What it returns resolves after the commit.
    pub(crate) async fn append(
        &self,
        append: Append,
    ) -> Result<impl Future<Output = Result<(), StoreError>> + Send + use<>, StoreError> {
        let bytes = u32::try_from(append.bytes()).unwrap_or(u32::MAX);
        let (reply, committed) = oneshot::channel();
        let queue = async {
            let room = Arc::clone(&self.room).acquire_many_owned(bytes.min(QUEUE_BYTES));
            let permit = room.await.map_err(|_| StoreError::Closed)?;
            let command = Command::Append(append, permit, reply);
            let sent = self.commands.send(command).await;
            sent.map_err(|_| StoreError::Closed)
        };
        timeout(PATIENCE, queue)
            .await
            .map_err(|_| StoreError::Busy)??;
        Ok(async move { committed.await.map_err(|_| StoreError::Closed)? })
    }

    /// Has an event raised by this collector, and hands it back as it is in the log.
    pub(crate) async fn raise(&self, draft: v1::Event) -> Result<v1::Event, StoreError> {
        let (reply, committed) = oneshot::channel();
        let command = Command::Raise(Box::new(draft), reply);
        timeout(PATIENCE, self.commands.send(command))
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)?;
        committed.await.map_err(|_| StoreError::Closed)?
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

    /// Tells the log from others: it is chosen at random when the database is made.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// The last committed cursor, and a wake-up for each commit, of other collectors too.
    pub(crate) fn last(&self) -> watch::Receiver<u64> {
        self.last.clone()
    }

    /// Whether the log reaches the cursor. Another collector may have given it, and this one not know yet.
    pub(crate) async fn reaches(&self, cursor: u64) -> bool {
        let mut last = self.last();
        if *last.borrow() >= cursor {
            return true;
        }
        let shared = matches!(*self.readers, Readers::Postgres(_));
        shared
            && timeout(NEWS, last.wait_for(|last| *last >= cursor))
                .await
                .is_ok()
    }

    /// The cursor before the earliest that is kept.
    pub(crate) fn horizon(&self) -> u64 {
        *self.horizon.borrow()
    }

    /// The same, as it moves.
    pub(crate) fn watch_horizon(&self) -> watch::Receiver<u64> {
        self.horizon.clone()
    }

    /// Highest stored sequence of an agent's epoch; 0 when none.
    pub(crate) async fn highest_sequence(
        &self,
        node: String,
        epoch: u64,
    ) -> Result<u64, StoreError> {
        self.readers.highest_sequence(node, epoch).await
    }

    /// The next matching entries. [`StoreError::Removed`] when what lies behind `after` was removed, unless
    /// that is 0.
    pub(crate) async fn page(&self, query: Query) -> Result<Page, StoreError> {
        self.readers.page(&query).await
    }

    /// The events at these cursors, in their order; those that are gone or damaged are left out.
    pub(crate) async fn events_at(&self, cursors: Vec<u64>) -> Result<Vec<v1::Event>, StoreError> {
        self.readers.events_at(cursors).await
    }

    /// A cursor that only events raised earlier lie before.
    pub(crate) async fn before(&self, since: Timestamp) -> Result<u64, StoreError> {
        self.readers.before(since).await
    }

    /// Waits until no other collector serves the outputs, so that this one may.
    pub(crate) async fn hold(&self) -> Result<Held, StoreError> {
        self.cursors.hold().await
    }

    /// One event by its id.
    pub(crate) async fn event(&self, id: v1::EventId) -> Result<Option<v1::Event>, StoreError> {
        self.readers.event(id).await
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

#[expect(clippy::disallowed_methods, reason = "an epoch is a start's time")]
fn now() -> Timestamp {
    SystemTime::now().into()
}
