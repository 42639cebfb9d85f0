//! One subscriber: its cursor, and the page it is being sent.

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use api::v1::{self, subscribe_response::Item};
use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::metrics::Metrics;
use crate::{
    status,
    store::{Entry, PAGE_BYTES, Query, Store},
};

/// The longest silence.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Entries held for a subscriber, at most.
const PAGE: usize = 64;

pub(super) struct Follower {
    store: Store,
    metrics: Metrics,
    shutdown: CancellationToken,
    filter: Arc<v1::Filter>,
    /// All up to here was read.
    cursor: u64,
    read: VecDeque<Entry>,
    last: watch::Receiver<u64>,
    silence: Pin<Box<time::Sleep>>,
    greeted: bool,
    _seat: OwnedSemaphorePermit,
}

impl Follower {
    pub(super) fn new(
        store: Store,
        metrics: Metrics,
        shutdown: CancellationToken,
        filter: Arc<v1::Filter>,
        cursor: u64,
        seat: OwnedSemaphorePermit,
    ) -> Self {
        metrics.subscribers.inc();
        Self {
            last: store.last(),
            store,
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
                return Ok(self.send(entry));
            }
            let silence = &mut self.silence;
            let advance = advance(&self.store, &self.filter, self.cursor, &mut self.last);
            tokio::select! {
                () = self.shutdown.cancelled() => return Err(Status::unavailable(format!(
                    "the collector is shutting down; subscribe again after cursor {}",
                    self.cursor
                ))),
                () = silence => return Ok(self.heartbeat()),
                advanced = advance => (self.read, self.cursor) = advanced?,
            }
        }
    }

    fn send(&mut self, entry: Entry) -> Item {
        self.rest();
        match entry {
            Entry::Event(event) => {
                self.metrics.sent.inc();
                Item::Event(*event)
            }
            Entry::Gap(gap) => Item::Gap(gap),
        }
    }

    fn heartbeat(&mut self) -> Item {
        self.rest();
        Item::Heartbeat(v1::Heartbeat {
            cursor: self.cursor,
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

/// The next entries and the cursor after them; waits for a commit when all was read.
async fn advance(
    store: &Store,
    filter: &Arc<v1::Filter>,
    cursor: u64,
    last: &mut watch::Receiver<u64>,
) -> Result<(VecDeque<Entry>, u64), Status> {
    let committed = *last
        .wait_for(|last| *last > cursor)
        .await
        .map_err(|_| Status::unavailable("the collector is shutting down; subscribe again"))?;
    let page = store
        .page(Query {
            filter: Arc::clone(filter),
            after: cursor,
            limit: PAGE,
            bytes: PAGE_BYTES,
            gaps: true,
        })
        .await
        .map_err(|error| status::failed(&error))?;
    // A last cursor whose row is gone must not be looked for again and again.
    let next = if page.end {
        page.next.max(committed)
    } else {
        page.next
    };
    Ok((page.entries.into(), next))
}
