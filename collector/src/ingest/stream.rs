//! One agent's stream, from its hello to its end.

use std::{pin::Pin, sync::Arc, time::SystemTime};

use api::v1::{self, publish_request, publish_response};
use futures_util::{StreamExt as _, stream::FuturesOrdered};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::{batch, downlink::Downlink, metrics::Metrics};
use crate::{
    identity::Identity,
    nodes::Connected,
    status,
    store::{Store, StoreError},
};

/// Batches of one stream that wait for their commit; beyond that the stream waits.
const UNCOMMITTED: usize = 16;

pub(super) struct AgentStream {
    pub(super) store: Store,
    pub(super) identity: Arc<Identity>,
    pub(super) metrics: Metrics,
    pub(super) shutdown: CancellationToken,
    pub(super) hello: v1::Hello,
    pub(super) connected: Connected,
    pub(super) responses: mpsc::Sender<Result<v1::PublishResponse, Status>>,
}

type Committing = Pin<Box<dyn Future<Output = Result<v1::Acknowledgement, StoreError>> + Send>>;

impl AgentStream {
    pub(super) async fn run(self, requests: Streaming<v1::PublishRequest>, mut downlink: Downlink) {
        let mut committing = FuturesOrdered::new();
        let end = self.take(requests, &mut committing, &mut downlink).await;
        // What is queued will be committed, so the agent may know.
        while let Some(Ok(acknowledgement)) = committing.next().await {
            self.acknowledge(acknowledgement).await;
        }
        let node = &self.hello.node;
        match end {
            Ok(()) => tracing::info!(node, "agent disconnected"),
            Err(status) => {
                self.metrics.stream_ended(&status);
                tracing::warn!(node, reason = status.message(), "agent's stream ended");
                drop(self.responses.send(Err(status)).await);
            }
        }
    }

    async fn take(
        &self,
        mut requests: Streaming<v1::PublishRequest>,
        committing: &mut FuturesOrdered<Committing>,
        downlink: &mut Downlink,
    ) -> Result<(), Status> {
        // Never decreases: what a batch brings again was acknowledged before.
        let mut highest = 0;
        let mut skipped: u64 = 0;
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return Err(shutting_down()),
                () = self.connected.replaced().cancelled() => return Err(replaced(&self.hello.node)),
                Some(committed) = committing.next() => {
                    let acknowledgement = committed.map_err(|error| status::failed(&error))?;
                    if !self.acknowledge(acknowledgement).await {
                        return Ok(());
                    }
                }
                item = downlink.next() => {
                    if !self.send(item).await {
                        return Ok(());
                    }
                }
                request = requests.message(), if committing.len() < UNCOMMITTED => {
                    let Some(request) = request? else {
                        return Ok(());
                    };
                    self.connected.seen(now());
                    match request.item {
                        Some(publish_request::Item::Batch(batch)) => {
                            committing.push_back(self.queue(batch, &mut highest).await?);
                        }
                        Some(publish_request::Item::Status(status)) => self.connected.status(status, now()),
                        Some(publish_request::Item::Outcome(outcome)) => self.connected.outcome(outcome),
                        Some(publish_request::Item::Hello(_)) => {
                            return Err(Status::invalid_argument("a stream says hello once"));
                        }
                        // Of a newer agent, for which this is not worth a stream.
                        None => {
                            self.metrics.skipped();
                            if skipped == 0 {
                                let v1::Hello { node, version, .. } = &self.hello;
                                tracing::warn!(node, version, "an agent tells what this collector does not know; passing over it");
                            }
                            skipped += 1;
                        }
                    }
                }
            }
        }
    }

    async fn queue(&self, batch: v1::Batch, highest: &mut u64) -> Result<Committing, Status> {
        let checked = batch::check(batch, &self.hello, &self.identity);
        let checked = checked.map_err(|error| Status::invalid_argument(error.to_string()))?;
        let refusals = checked.refusals;
        *highest = checked.append.through.max(*highest);
        self.metrics.batch(checked.received, refusals.len());
        if let Some(first) = refusals.first() {
            tracing::warn!(
                node = self.hello.node,
                refused = refusals.len(),
                reason = first.reason,
                "refused events of an agent"
            );
        }
        let acknowledgement = v1::Acknowledgement {
            sequence: *highest,
            refusals,
        };
        let committed = self.store.append(checked.append).await;
        let committed = committed.map_err(|error| status::failed(&error))?;
        Ok(Box::pin(async move {
            committed.await.map(|()| acknowledgement)
        }))
    }

    async fn acknowledge(&self, acknowledgement: v1::Acknowledgement) -> bool {
        let item = publish_response::Item::Acknowledgement(acknowledgement);
        self.send(item).await
    }

    /// Whether the agent still listens.
    pub(super) async fn send(&self, item: publish_response::Item) -> bool {
        let response = v1::PublishResponse { item: Some(item) };
        self.responses.send(Ok(response)).await.is_ok()
    }
}

pub(super) fn shutting_down() -> Status {
    Status::unavailable("the collector is shutting down; connect again")
}

fn replaced(node: &str) -> Status {
    Status::aborted(format!(
        "another stream said hello for node `{node}`; if two agents bear that name, give one another --node"
    ))
}

#[expect(clippy::disallowed_methods, reason = "the streams own this clock")]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}
