//! `Ingest.Publish`: takes events from agents and acknowledges them once they are on disk.

mod batch;
mod downlink;
mod event;
mod field;
mod gap;
mod id;
mod metrics;
mod stream;

use std::{pin::Pin, sync::Arc, time::Duration};

use api::{
    correlations::COLLECTOR,
    protocol::PROTOCOL,
    v1::{self, ingest_server, publish_request, publish_response},
};
use downlink::Downlink;
use futures_util::Stream;
pub(crate) use metrics::Metrics;
use metrics::Refused;
use stream::AgentStream;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::{access::Caller, identity::Identity, nodes::Nodes, status, store::Store};

/// How long an agent may take to say hello.
const HELLO: Duration = Duration::from_secs(10);

/// Longest name of a node; Kubernetes allows a DNS subdomain.
const NODE_NAME: usize = 253;

/// Longest version of an agent.
const VERSION: usize = 64;

/// Responses an agent has not read yet; beyond that its stream waits.
const RESPONSES: usize = 32;

/// Everything a stream needs. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Ingest {
    pub(crate) store: Store,
    pub(crate) identity: Arc<Identity>,
    pub(crate) nodes: Nodes,
    pub(crate) metrics: Metrics,
    pub(crate) policy: watch::Receiver<Option<v1::Policy>>,
    pub(crate) shutdown: CancellationToken,
}

#[tonic::async_trait]
impl ingest_server::Ingest for Ingest {
    type PublishStream =
        Pin<Box<dyn Stream<Item = Result<v1::PublishResponse, Status>> + Send + 'static>>;

    async fn publish(
        &self,
        request: Request<Streaming<v1::PublishRequest>>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        let caller = Caller::of(&request)?;
        caller
            .introduce()
            .await
            .inspect_err(|_| self.metrics.stream_refused(Refused::Forbidden))?;
        let mut requests = request.into_inner();
        let opened = self.open(&caller, &mut requests).await;
        let (hello, sequence, mut connected) = opened.map_err(|(refused, status)| {
            self.metrics.stream_refused(refused);
            status
        })?;
        tracing::info!(node = hello.node, epoch = hello.epoch, "agent connected");

        let mut policy = self.policy.clone();
        // What is in force is told first.
        policy.mark_changed();
        let downlink = Downlink {
            cluster: Arc::clone(&self.identity).follow(&hello.node, clock()),
            policy,
            asked: connected.take_asked(),
        };
        let (responses, receiver) = mpsc::channel(RESPONSES);
        let welcome = publish_response::Item::Welcome(v1::Welcome {
            sequence,
            protocol: PROTOCOL,
        });
        let stream = AgentStream {
            store: self.store.clone(),
            identity: Arc::clone(&self.identity),
            metrics: self.metrics.clone(),
            shutdown: self.shutdown.clone(),
            hello,
            connected,
            responses,
        };
        stream.send(welcome).await;
        tokio::spawn(stream.run(requests, downlink));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

type Opened = (v1::Hello, u64, crate::nodes::Connected);

impl Ingest {
    async fn open(
        &self,
        caller: &Caller,
        requests: &mut Streaming<v1::PublishRequest>,
    ) -> Result<Opened, (Refused, Status)> {
        let malformed = |message: &str| (Refused::Malformed, Status::invalid_argument(message));
        let first = tokio::select! {
            first = tokio::time::timeout(HELLO, requests.message()) => first,
            () = self.shutdown.cancelled() => return Err((Refused::Unavailable, stream::shutting_down())),
        };
        let first = first
            .map_err(|_| malformed("no hello came within ten seconds; send one first"))?
            .map_err(|status| (Refused::Malformed, status))?;
        let Some(publish_request::Item::Hello(hello)) = first.and_then(|request| request.item)
        else {
            return Err(malformed("the first request must be a hello"));
        };
        check(&hello).map_err(malformed)?;
        let spoken = caller.speak_for(&hello.node).await;
        spoken.map_err(|status| (Refused::Forbidden, status))?;
        if !self.identity.knows_node(&hello.node) {
            return Err((Refused::UnknownNode, unknown_node(&hello.node)));
        }
        let connected = self.nodes.connect(&hello, stream::now()).map_err(|error| {
            (
                Refused::TooManyNodes,
                Status::resource_exhausted(error.to_string()),
            )
        })?;
        let sequence = self
            .store
            .highest_sequence(hello.node.clone(), hello.epoch)
            .await
            .map_err(|error| (Refused::Unavailable, status::failed(&error)))?;
        Ok((hello, sequence, connected))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is told at once and what later is timed from here"
)]
fn clock() -> Instant {
    Instant::now()
}

fn check(hello: &v1::Hello) -> Result<(), &'static str> {
    if hello.node.is_empty() || hello.node.len() > NODE_NAME {
        return Err(
            "the hello names no node, or one longer than 253 bytes; start the agent with --node NAME",
        );
    }
    if hello.version.len() > VERSION {
        return Err("the hello's version is longer than 64 bytes; install an agent of Picket's");
    }
    if hello.node == COLLECTOR {
        return Err(
            "the hello names the collector as its node; start the agent with --node NAME and the name of its own",
        );
    }
    // The log keeps it as a signed integer, which lasts until the year 2262.
    if hello.epoch == 0 || i64::try_from(hello.epoch).is_err() {
        return Err(
            "the hello's epoch is no time in nanoseconds since 1970; correct the clock of the node",
        );
    }
    Ok(())
}

fn unknown_node(node: &str) -> Status {
    Status::not_found(format!(
        "node `{node}` is not in the collector's pod table; add it there under `nodes` and restart \
         the collector, or start the agent with --node and a name from the table"
    ))
}
