//! `picket.v1.Events` of one agent: its own events, from memory.

use std::{pin::Pin, sync::Arc, time::Duration};

use api::{
    filter,
    v1::{self, events_server::Events, subscribe_request::From as Start, subscribe_response::Item},
};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Interval, interval},
};
use tonic::{Request, Response, Status};

use super::{
    Metrics,
    outbox::Outbox,
    recent::{At, Recent},
};

const HEARTBEAT: Duration = Duration::from_secs(10);
/// Without a log there is no cursor to tell.
const HEARTBEAT_ITEM: Item = Item::Heartbeat(v1::Heartbeat { cursor: 0, log: 0 });
/// Subscribers at once.
const SUBSCRIBERS: usize = 64;

/// Serves the events of one outbox.
#[derive(Debug)]
pub(super) struct Subscribe {
    node: String,
    outbox: Outbox,
    seats: Arc<Semaphore>,
}

impl Subscribe {
    pub(super) fn new(node: String, outbox: Outbox) -> Self {
        Self {
            node,
            outbox,
            seats: Arc::new(Semaphore::new(SUBSCRIBERS)),
        }
    }
}

#[tonic::async_trait]
impl Events for Subscribe {
    type SubscribeStream =
        Pin<Box<dyn Stream<Item = Result<v1::SubscribeResponse, Status>> + Send>>;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = request.into_inner();
        let recent = self.outbox.recent();
        let end = recent.end();
        let position = match request.from {
            Some(Start::AfterCursor(0)) => 0,
            Some(Start::AfterCursor(_)) => {
                return Err(Status::out_of_range(
                    "an agent keeps no log and gives no cursors: subscribe from now, or after cursor \
                     0 for what it still remembers, or ask the collector",
                ));
            }
            Some(Start::Now(_)) | None => *end.borrow(),
        };
        let metrics = self.outbox.metrics().clone();
        let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() else {
            metrics.subscribers_refused.inc();
            return Err(Status::resource_exhausted(format!(
                "this agent already serves {SUBSCRIBERS} subscribers: subscribe to the collector"
            )));
        };
        metrics.subscribers.inc();
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.reset();
        let subscription = Subscription {
            node: self.node.clone(),
            filter: request.filter.unwrap_or_default(),
            recent,
            end,
            position,
            heartbeat,
            metrics,
            _seat: seat,
        };
        // It tells that the subscription stands.
        let first = stream::once(async { Ok(response(HEARTBEAT_ITEM)) });
        let rest = stream::unfold(subscription, async |mut subscription| {
            let item = subscription.next().await;
            Some((Ok(response(item)), subscription))
        });
        Ok(Response::new(Box::pin(first.chain(rest))))
    }

    async fn list(
        &self,
        _: Request<v1::ListRequest>,
    ) -> Result<Response<v1::ListResponse>, Status> {
        Err(without_log())
    }

    async fn get(&self, _: Request<v1::GetRequest>) -> Result<Response<v1::Event>, Status> {
        Err(without_log())
    }
}

const fn response(item: Item) -> v1::SubscribeResponse {
    v1::SubscribeResponse { item: Some(item) }
}

fn without_log() -> Status {
    Status::unimplemented("an agent keeps no log of events: ask the collector, or subscribe here")
}

struct Subscription {
    node: String,
    filter: v1::Filter,
    recent: Arc<Recent>,
    end: watch::Receiver<u64>,
    position: u64,
    heartbeat: Interval,
    metrics: Metrics,
    _seat: OwnedSemaphorePermit,
}

impl Subscription {
    async fn next(&mut self) -> Item {
        loop {
            // Seen before the ring is read, so that an event raised in between wakes.
            self.end.mark_unchanged();
            match self.recent.at(self.position) {
                At::Event(event) => {
                    self.position += 1;
                    if filter::matches(&self.filter, &event) {
                        self.heartbeat.reset();
                        return Item::Event(v1::Event::clone(&event));
                    }
                }
                At::Lost(events) => {
                    self.position += events;
                    self.metrics.lost.inc_by(events);
                    return Item::Gap(v1::Gap {
                        events,
                        reason: "the agent remembers its last events only, and these were earlier"
                            .into(),
                        node: self.node.clone(),
                        ..Default::default()
                    });
                }
                At::End => {
                    tokio::select! {
                        _ = self.heartbeat.tick() => return HEARTBEAT_ITEM,
                        // The ring lives as long as this subscription.
                        _ = self.end.changed() => {}
                    }
                }
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.metrics.subscribers.dec();
    }
}
