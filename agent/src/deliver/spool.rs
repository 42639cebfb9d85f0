//! The spool: events wait on the disk, bounded, until the collector holds them.
//!
//! yaque, okaywal, commitlog and fjall keep queues and logs on a disk as well; none of them drops by severity,
//! merges, or tells what is missing.

mod directory;
mod disk;
mod journal;
mod keeper;
mod ledger;
mod lock;
mod loss;
mod memory;
mod reader;
mod record;
mod segment;
mod worker;

#[cfg(test)]
mod tests;

use std::{io, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use api::v1;
use tokio::sync::{oneshot, watch};
use tracing::warn;

use super::metrics::Metrics;
use directory::Directory;
use journal::Limits;
use keeper::Keeper;
use lock::{Lock, LockError};
use memory::Memory;
use worker::{Call, Desk, Worker};

pub(super) use journal::Batch;
pub(super) use ledger::Position;
pub(super) use worker::Told;

/// Of encoded events that are not on the disk.
const MEMORY_BYTES: u64 = 8 * 1024 * 1024;
/// How long a disk that failed is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// Where events wait for the collector.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In memory alone.
    Nowhere,
    /// In this directory, or in memory when it cannot be used.
    IfPossible(PathBuf),
    /// In this directory.
    At(PathBuf),
}

/// Where events wait, and how many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spooling {
    /// Where.
    pub place: Place,
    /// The most that is kept there.
    pub capacity_bytes: u64,
}

/// Why there is no spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The directory cannot be used.
    #[error(transparent)]
    Directory(#[from] LockError),
    /// The thread cannot be started.
    #[error("cannot start the thread of the spool: check the limits of processes and memory")]
    Thread(#[source] io::Error),
}

/// Where events wait. It is closed when it is dropped.
#[derive(Debug)]
pub(super) struct Spool {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
    newest_epoch: u64,
    _lock: Option<Lock>,
}

impl Spool {
    pub(super) fn open(spooling: &Spooling, metrics: Metrics) -> Result<Self, SpoolError> {
        let (disk, why, lock) = match &spooling.place {
            Place::Nowhere => (None, "there is no spool: --spool is none".to_owned(), None),
            Place::At(path) => {
                let (directory, lock) = lock::take(path)?;
                (Some(directory), String::new(), Some(lock))
            }
            Place::IfPossible(path) => match lock::take(path) {
                Ok((directory, lock)) => (Some(directory), String::new(), Some(lock)),
                Err(error) => {
                    warn!(
                        %error,
                        "events that the collector does not hold are lost when the agent stops: name a \
                         directory for them with --spool, or say --spool none"
                    );
                    (None, error.to_string(), None)
                }
            },
        };
        let retry = disk.is_some().then_some(RETRY);
        let mut spool = Self::start(disk, why, spooling.capacity_bytes, retry, metrics)?;
        spool._lock = lock;
        Ok(spool)
    }

    fn start(
        disk: Option<Directory>,
        why: String,
        capacity_bytes: u64,
        retry: Option<Duration>,
        metrics: Metrics,
    ) -> Result<Self, SpoolError> {
        let limits = Limits::of(capacity_bytes);
        let desk = Arc::new(Desk::new(Memory::new(capacity_bytes.min(MEMORY_BYTES))));
        let keeper = match disk {
            Some(disk) => Keeper::open(Arc::new(disk), limits, &desk.memory),
            None => Keeper::without_disk(limits, why, &desk.memory),
        };
        let newest_epoch = keeper.journal().newest_epoch();
        let worker = Worker {
            desk: Arc::clone(&desk),
            keeper,
            metrics,
            retry,
        };
        worker.tell(false);
        Ok(Self {
            desk,
            thread: Some(worker.start().map_err(SpoolError::Thread)?),
            newest_epoch,
            _lock: None,
        })
    }

    pub(super) fn raise(&self, event: Arc<v1::Event>) {
        self.desk.raise(event);
    }

    pub(super) fn told(&self) -> watch::Receiver<Told> {
        self.desk.told.subscribe()
    }

    /// The last event that is on the disk.
    pub(super) fn spooled(&self) -> watch::Receiver<u64> {
        self.desk.spooled.subscribe()
    }

    /// The latest epoch of which anything is known.
    pub(super) const fn newest_epoch(&self) -> u64 {
        self.newest_epoch
    }

    /// The collector holds all up to a position, and nothing of what is behind it in this epoch.
    pub(super) async fn resume(&self, held: Position) {
        let (done, waited) = oneshot::channel();
        self.desk.call(Call::Resume(held, done));
        waited.await.unwrap_or_default();
    }

    pub(super) fn acknowledge(&self, held: Position) {
        self.desk.call(Call::Acknowledge(held));
    }

    /// What is behind a position in its epoch; nothing when there is nothing, or it cannot be read now.
    pub(super) async fn batch(&self, after: Position) -> Batch {
        let (reply, batch) = oneshot::channel();
        self.desk.call(Call::Batch(after, reply));
        batch.await.unwrap_or_default()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.desk.call(Call::Close);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("the thread of the spool has panicked");
        }
    }
}
