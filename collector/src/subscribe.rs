//! `Events`: reads of the log. A subscriber is a cursor into it, so a slow one delays nobody.

mod follow;
mod metrics;
mod tail;

use std::{pin::Pin, sync::Arc};

use api::v1::{self, events_server, subscribe_request};
use follow::Follower;
pub(crate) use follow::{Log, Most};
use futures_util::Stream;
pub(crate) use metrics::Metrics;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{
    access, status,
    store::{Entry, PAGE_BYTES, Query, StoreError},
};

/// Events of a page, when the client does not say and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;

/// Subscribers at once: each holds a page.
const SUBSCRIBERS: usize = 256;

/// Reads of past pages at once: fewer than there are readers, so that they delay nobody who follows.
const LISTS: usize = 2;

/// Pages of the log that one `List` looks through; what lies beyond is the next call's.
const LOOKS: usize = 16;

/// The service. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    log: Log,
    metrics: Metrics,
    shutdown: CancellationToken,
    seats: Arc<Semaphore>,
    lists: Arc<Semaphore>,
}

impl Events {
    /// Serves what is read of the log.
    pub(crate) fn new(log: Log, metrics: Metrics, shutdown: CancellationToken) -> Self {
        Self {
            log,
            metrics,
            shutdown,
            seats: Arc::new(Semaphore::new(SUBSCRIBERS)),
            lists: Arc::new(Semaphore::new(LISTS)),
        }
    }
}

#[tonic::async_trait]
impl events_server::Events for Events {
    type SubscribeStream =
        Pin<Box<dyn Stream<Item = Result<v1::SubscribeResponse, Status>> + Send + 'static>>;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let scope = access::scope(&request)?;
        let seat = self.seat()?;
        let request = request.into_inner();
        let filter = Arc::new(scope.narrow(request.filter)?);
        let cursor = match request.from {
            Some(subscribe_request::From::AfterCursor(cursor)) => {
                self.check_log(request.log, cursor)?;
                self.start(&filter, cursor).await?
            }
            Some(subscribe_request::From::Now(_)) | None => self.last(),
        };
        let follower = Follower::new(
            self.log.clone(),
            self.metrics.clone(),
            self.shutdown.clone(),
            filter,
            cursor,
            seat,
        );
        Ok(Response::new(Box::pin(follower.stream())))
    }

    async fn list(
        &self,
        request: Request<v1::ListRequest>,
    ) -> Result<Response<v1::ListResponse>, Status> {
        let scope = access::scope(&request)?;
        let request = request.into_inner();
        let size = page_size(request.page_size)?;
        let filter = Arc::new(scope.narrow(request.filter)?);
        let turn = self.lists.acquire().await;
        let _turn = turn.map_err(|_| Status::unavailable("the collector is shutting down"))?;
        let mut response = v1::ListResponse {
            next_cursor: self.start(&filter, request.after_cursor).await?,
            more: true,
            ..Default::default()
        };
        let mut bytes = 0;
        for _ in 0..LOOKS {
            let page = self
                .log
                .store
                .page(Query {
                    filter: Arc::clone(&filter),
                    after: response.next_cursor,
                    limit: size - response.events.len(),
                    bytes: PAGE_BYTES - bytes,
                    gaps: false,
                })
                .await
                .map_err(|error| status::failed(&error))?;
            bytes += page.bytes;
            response.next_cursor = page.next;
            response.more = !page.end;
            let events = page.entries.into_iter().filter_map(Entry::event);
            response.events.extend(events);
            if page.end || response.events.len() >= size || bytes >= PAGE_BYTES {
                break;
            }
        }
        response.more &= response.next_cursor < self.last();
        Ok(Response::new(response))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<v1::Event>, Status> {
        let scope = access::scope(&request)?;
        let id = request.into_inner().id;
        let id =
            id.ok_or_else(|| Status::invalid_argument("the request names no event; set id"))?;
        let v1::EventId {
            node,
            epoch,
            sequence,
        } = id.clone();
        let event = self.log.store.event(id).await;
        let event = event.map_err(|error| status::failed(&error))?;
        let event = event.filter(|event| scope.sees(event));
        event.map(Response::new).ok_or_else(|| {
            Status::not_found(format!(
                "the log holds no event {sequence} of node `{node}` in epoch {epoch}; list the events to see what it holds"
            ))
        })
    }
}

impl Events {
    fn seat(&self) -> Result<OwnedSemaphorePermit, Status> {
        Arc::clone(&self.seats).try_acquire_owned().map_err(|_| {
            self.metrics.refused.inc();
            Status::resource_exhausted(format!(
                "the collector already serves {SUBSCRIBERS} subscribers; end one and subscribe again, or list the events page by page"
            ))
        })
    }

    fn last(&self) -> u64 {
        *self.log.store.last().borrow()
    }

    /// A cursor means nothing in another log; 0 is the beginning of each.
    fn check_log(&self, named: u64, cursor: u64) -> Result<(), Status> {
        if cursor == 0 || named == 0 || named == self.log.store.id() {
            return Ok(());
        }
        Err(Status::out_of_range(format!(
            "cursor {cursor} is of another log: the database was replaced since; start from 0, or from now"
        )))
    }

    /// Where to read from: after the cursor, and past all that was raised too early.
    async fn start(&self, filter: &v1::Filter, cursor: u64) -> Result<u64, Status> {
        if !self.log.store.reaches(cursor).await {
            let last = self.last();
            return Err(Status::out_of_range(format!(
                "cursor {cursor} lies beyond the log, whose last cursor is {last}; if the database is a new one, start from 0"
            )));
        }
        // 0 stands for the beginning of what is kept.
        let horizon = self.log.store.horizon();
        if (1..horizon).contains(&cursor) {
            return Err(status::failed(&StoreError::Removed {
                after: cursor,
                earliest: horizon + 1,
            }));
        }
        let Some(since) = filter.since else {
            return Ok(cursor);
        };
        let before = self.log.store.before(since).await;
        Ok(before.map_err(|error| status::failed(&error))?.max(cursor))
    }
}

fn page_size(requested: u32) -> Result<usize, Status> {
    match usize::try_from(requested) {
        Ok(0) => Ok(PAGE),
        Ok(size) if size <= LARGEST_PAGE => Ok(size),
        _ => Err(Status::invalid_argument(format!(
            "page_size {requested} is too large; ask for {LARGEST_PAGE} at most, and then for the next page"
        ))),
    }
}
