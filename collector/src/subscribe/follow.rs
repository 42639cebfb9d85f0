//! One subscriber: its cursor, and what it is being sent.

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use api::v1::{self, subscribe_response::Item};
use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    metrics::Metrics,
    tail::{Behind, Tail},
};
use crate::{
    status,
    store::{Entry, Query, Store},
};

/// The longest silence.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Held for a subscriber.
const PAGE: Most = Most {
    entries: 64,
    bytes: 256 * 1024,
};

/// Where entries are read.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) store: Store,
    tail: Tail,
}

/// How much is read at once, at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) entries: usize,
    /// Of encoded events, of a part of the log that only this reader wants.
    pub(crate) bytes: usize,
}

pub(super) struct Follower {
    log: Log,
    metrics: Metrics,
    shutdown: CancellationToken,
    filter: Arc<v1::Filter>,
    /// All up to here was read.
    cursor: u64,
    read: VecDeque<Arc<Entry>>,
    end: watch::Receiver<u64>,
    silence: Pin<Box<time::Sleep>>,
    greeted: bool,
    _seat: OwnedSemaphorePermit,
}

impl Follower {
    pub(super) fn new(
        log: Log,
        metrics: Metrics,
        shutdown: CancellationToken,
        filter: Arc<v1::Filter>,
        cursor: u64,
        seat: OwnedSemaphorePermit,
    ) -> Self {
        metrics.subscribers.inc();
        Self {
            end: log.end(),
            log,
            metrics,
            shutdown,
            filter,
            cursor,
            read: VecDeque::new(),
            silence: Box::pin(time::sleep(HEARTBEAT)),
            greeted: false,
            _seat: seat,
        }
    }

    /// Reads no page before the one before it was taken.
    pub(super) fn stream(self) -> impl Stream<Item = Result<v1::SubscribeResponse, Status>> + Send {
        stream::try_unfold(self, |mut follower| async move {
            let item = follower.next().await?;
            let response = v1::SubscribeResponse { item: Some(item) };
            Ok(Some((response, follower)))
        })
    }

    async fn next(&mut self) -> Result<Item, Status> {
        if !self.greeted {
            self.greeted = true;
            return Ok(self.heartbeat());
        }
        loop {
            if let Some(entry) = self.read.pop_front() {
                return Ok(self.send(&entry));
            }
            let silence = &mut self.silence;
            let advance = self
                .log
                .advance(&self.filter, self.cursor, PAGE, &mut self.end);
            tokio::select! {
                // First: the tail ends with it, which says less.
                biased;
                () = self.shutdown.cancelled() => return Err(Status::unavailable(format!(
                    "the collector is shutting down; subscribe again after cursor {}",
                    self.cursor
                ))),
                () = silence => return Ok(self.heartbeat()),
                advanced = advance => (self.read, self.cursor) = advanced?,
            }
        }
    }

    fn send(&mut self, entry: &Entry) -> Item {
        self.rest();
        match entry {
            Entry::Event(event) => {
                self.metrics.sent.inc();
                Item::Event(v1::Event::clone(event))
            }
            Entry::Gap(gap) => Item::Gap(gap.clone()),
        }
    }

    fn heartbeat(&mut self) -> Item {
        self.rest();
        Item::Heartbeat(v1::Heartbeat {
            cursor: self.cursor,
            log: self.log.store.id(),
        })
    }

    fn rest(&mut self) {
        self.silence.set(time::sleep(HEARTBEAT));
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.metrics.subscribers.dec();
    }
}

/// The next entries, and the cursor up to which all was looked at.
pub(crate) type Read = (VecDeque<Arc<Entry>>, u64);

impl Log {
    /// Follows the log until the collector shuts down.
    pub(crate) fn follow(store: Store, metrics: Metrics, shutdown: CancellationToken) -> Self {
        let tail = Tail::follow(store.clone(), metrics, shutdown);
        Self { store, tail }
    }

    /// The cursor up to which all was read, and a wake-up for each that follows.
    pub(crate) fn end(&self) -> watch::Receiver<u64> {
        self.tail.end()
    }

    /// The next entries and the cursor after them; waits for a commit when all was read.
    pub(crate) async fn advance(
        &self,
        filter: &Arc<v1::Filter>,
        cursor: u64,
        most: Most,
        end: &mut watch::Receiver<u64>,
    ) -> Result<Read, Status> {
        end.wait_for(|end| *end > cursor)
            .await
            .map_err(|_| Status::unavailable("the collector is shutting down; subscribe again"))?;
        let passes = |entry: &Entry| entry.passes(filter);
        match self.tail.behind(cursor, most.entries, passes) {
            Behind::Entries(entries, reached) => Ok((entries, reached)),
            Behind::Elsewhere => self.catch_up(filter, cursor, most).await,
        }
    }

    /// The next entries of a part of the log that the tail has forgotten.
    async fn catch_up(
        &self,
        filter: &Arc<v1::Filter>,
        cursor: u64,
        most: Most,
    ) -> Result<Read, Status> {
        let committed = *self.store.last().borrow();
        let page = self
            .store
            .page(Query {
                filter: Arc::clone(filter),
                after: cursor,
                limit: most.entries,
                bytes: most.bytes,
                gaps: true,
            })
            .await
            .map_err(|error| status::failed(&error))?;
        let next = page.reached(committed);
        Ok((page.entries.into_iter().map(Arc::new).collect(), next))
    }
}
