//! Takes in the log as it grows, from as far back as is worth it.

use std::{
    iter,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use api::v1;
use tokio::sync::{Semaphore, watch};

use super::{Anomalies, Metrics, SEARCHES, index::Index};
use crate::{
    store::{Entry, PAGE_BYTES},
    subscribe::{Log, Most},
};

/// Events that are read at a start, at most: about ten seconds of reading.
const BACK: u64 = 1_000_000;

/// So many that who searches waits a moment at most.
const PAGE: Most = Most {
    entries: 512,
    bytes: PAGE_BYTES,
};

/// Between a read of the log that failed and the next.
const REST: Duration = Duration::from_millis(200);

/// Keeps the index current.
#[derive(Debug)]
pub(crate) struct Follower {
    log: Log,
    index: Arc<RwLock<Index>>,
    reached: watch::Sender<u64>,
    metrics: Metrics,
    /// Of the index, that are counted already.
    forgotten: u64,
}

impl Anomalies {
    /// Nothing is known before the follower runs.
    pub(crate) fn new(log: Log, metrics: Metrics) -> (Self, Follower) {
        let index = Arc::default();
        let (sender, reached) = watch::channel(0);
        let anomalies = Self {
            index: Arc::clone(&index),
            reached,
            store: log.store.clone(),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            metrics: metrics.clone(),
        };
        let follower = Follower {
            log,
            index,
            reached: sender,
            metrics,
            forgotten: 0,
        };
        (anomalies, follower)
    }
}

impl Follower {
    /// Never ends.
    pub(crate) async fn run(mut self) {
        let everything = Arc::new(v1::Filter::default());
        let mut end = self.log.end();
        let mut moved = self.log.store.watch_horizon();
        let back = self.log.store.last().borrow().saturating_sub(BACK);
        let mut cursor = back.max(*moved.borrow_and_update());
        self.take_in(iter::empty(), cursor);
        loop {
            let read = self.log.advance(&everything, cursor, PAGE, &mut end);
            let read = tokio::select! {
                read = read => read,
                // Retention takes what is kept at hand too, whether something new comes or not.
                Ok(()) = moved.changed() => {
                    cursor = cursor.max(*moved.borrow());
                    self.take_in(iter::empty(), cursor);
                    continue;
                }
            };
            match read {
                Ok((entries, next)) => {
                    cursor = next;
                    self.take_in(entries.iter().map(AsRef::as_ref), cursor);
                }
                // Retention may have passed by.
                Err(_) if self.log.store.horizon() > cursor => {}
                Err(error) => {
                    self.metrics.failures.inc();
                    tracing::warn!(%error, "cannot read the log for the anomalies; trying again");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    fn take_in<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>, cursor: u64) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            if let Entry::Event(event) = entry {
                index.take_in(event);
            }
        }
        index.remove_through(self.log.store.horizon());
        index.cursor = cursor;
        let (known, open) = index.count();
        let forgotten = index.forgotten;
        drop(index);
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.known.set(count(known));
        self.metrics.open.set(count(open));
        self.metrics.forgotten.inc_by(forgotten - self.forgotten);
        self.forgotten = forgotten;
        self.reached.send_replace(cursor);
    }
}
