//! A publisher, and an `Ingest` server that does what each test tells it.

use std::sync::Arc;

use api::{
    pods::Pods,
    transport::Listen,
    v1::{
        self,
        ingest_server::{Ingest, IngestServer},
        publish_request::Item,
        publish_response::Item as Answer,
    },
};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{super::*, event, sequence_of, soon};

type Answers = mpsc::Sender<Result<v1::PublishResponse, Status>>;

/// One call of `Publish`.
pub(super) struct Connection {
    pub(super) requests: Streaming<v1::PublishRequest>,
    answers: Answers,
}

/// Hands each call to the test, or refuses it.
pub(super) struct Calls {
    pub(super) connections: mpsc::Sender<Connection>,
    refusal: Option<Status>,
}

#[tonic::async_trait]
impl Ingest for Calls {
    type PublishStream = ReceiverStream<Result<v1::PublishResponse, Status>>;

    async fn publish(
        &self,
        request: Request<Streaming<v1::PublishRequest>>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        let (answers, stream) = mpsc::channel(8);
        let connection = Connection {
            requests: request.into_inner(),
            answers,
        };
        self.connections
            .send(connection)
            .await
            .map_err(|_| Status::unavailable("the test is over"))?;
        match &self.refusal {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(Response::new(ReceiverStream::new(stream))),
        }
    }
}

/// An agent that delivers from a spool to a socket, both in a directory.
pub(super) struct Bench {
    pub(super) directory: Arc<TempDir>,
    epoch: u64,
    pub(super) outbox: Outbox,
    pub(super) pods: watch::Receiver<Pods>,
    pub(super) outcomes: Outcomes,
    pub(super) publisher: JoinHandle<()>,
    pub(super) stop: watch::Sender<bool>,
    _status: watch::Sender<v1::NodeStatus>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::start(Arc::new(tempfile::tempdir().unwrap()), 7)
    }

    /// The agent of an epoch, in the directory of one before it.
    pub(super) fn start(directory: Arc<TempDir>, epoch: u64) -> Self {
        let place = Place::At(directory.path().join("spool"));
        Self::spooling(directory, epoch, place)
    }

    pub(super) fn spooling(directory: Arc<TempDir>, epoch: u64, place: Place) -> Self {
        let spooling = Spooling {
            place,
            capacity_bytes: 1 << 20,
        };
        let outbox = Outbox::open(&spooling, Metrics::default()).unwrap();
        let (pods, told) = watch::channel(Pods::default());
        let (status, reported) = watch::channel(v1::NodeStatus {
            attachment: "tcx".into(),
            ..v1::NodeStatus::default()
        });
        let outcomes = Outcomes::default();
        let publisher = Publisher {
            remote: format!("unix:{}", directory.path().join("socket").display())
                .parse()
                .unwrap(),
            agent: Agent {
                node: "n1".into(),
                epoch,
            },
            outbox: outbox.clone(),
            downlink: Downlink {
                pods: pods.into(),
                outcomes: outcomes.clone(),
                ..Downlink::default()
            },
            status: reported,
        };
        let (stop, stopped) = watch::channel(false);
        Self {
            directory,
            epoch,
            outbox,
            pods: told,
            outcomes,
            publisher: tokio::spawn(publisher.run(stopped)),
            stop,
            _status: status,
        }
    }

    pub(super) fn raise(&self, sequences: std::ops::RangeInclusive<u64>) {
        for sequence in sequences {
            let mut event = event(sequence);
            if let Some(id) = &mut event.id {
                id.epoch = self.epoch;
            }
            self.outbox.raise(event);
        }
    }

    pub(super) async fn collector(&self, refusal: Option<Status>) -> Collector {
        let listen = Listen::Unix(self.directory.path().join("socket"));
        let incoming = listen.bind().await.unwrap();
        let (sender, connections) = mpsc::channel(1);
        let calls = Calls {
            connections: sender,
            refusal,
        };
        let server = tonic::transport::Server::builder()
            .add_service(IngestServer::new(calls))
            .serve_with_incoming(incoming);
        Collector {
            connections,
            server: tokio::spawn(async {
                server.await.unwrap();
            }),
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.publisher.abort();
    }
}

pub(super) struct Collector {
    pub(super) connections: mpsc::Receiver<Connection>,
    server: JoinHandle<()>,
}

impl Collector {
    pub(super) async fn connection(&mut self) -> Connection {
        soon(self.connections.recv()).await.unwrap()
    }

    /// A connection whose hello was answered.
    pub(super) async fn welcome(&mut self, sequence: u64) -> Connection {
        self.welcome_epoch(7, sequence).await
    }

    /// The same, of the agent of an epoch.
    pub(super) async fn welcome_epoch(&mut self, epoch: u64, sequence: u64) -> Connection {
        let mut connection = self.connection().await;
        let hello = connection.request().await;
        assert!(
            matches!(&hello, Item::Hello(hello) if hello.node == "n1" && hello.epoch == epoch),
            "{hello:?}"
        );
        let welcome = v1::Welcome {
            sequence,
            protocol: api::protocol::PROTOCOL,
        };
        connection.answer(Answer::Welcome(welcome)).await;
        connection
    }

    pub(super) async fn stop(self) {
        self.server.abort();
        assert!(self.server.await.is_err_and(|error| error.is_cancelled()));
    }
}

impl Connection {
    pub(super) async fn request(&mut self) -> Item {
        let request = soon(self.requests.message()).await.unwrap().unwrap();
        request.item.unwrap()
    }

    pub(super) async fn batch(&mut self) -> v1::Batch {
        loop {
            if let Item::Batch(batch) = self.request().await {
                return batch;
            }
        }
    }

    /// Sequences of the next `count` events.
    pub(super) async fn events(&mut self, count: usize) -> Vec<u64> {
        let mut sequences = Vec::new();
        while sequences.len() < count {
            let batch = self.batch().await;
            assert!(batch.events.len() <= 256);
            sequences.extend(batch.events.iter().map(sequence_of));
        }
        sequences
    }

    pub(super) async fn answer(&self, item: Answer) {
        let answer = v1::PublishResponse { item: Some(item) };
        self.answers.send(Ok(answer)).await.unwrap();
    }

    /// As a collector would that is newer than the agent.
    pub(super) async fn answer_what_nobody_knows(&self) {
        let answer = v1::PublishResponse { item: None };
        self.answers.send(Ok(answer)).await.unwrap();
    }

    pub(super) async fn acknowledge(&self, sequence: u64) {
        let acknowledgement = v1::Acknowledgement {
            sequence,
            refusals: Vec::new(),
        };
        self.answer(Answer::Acknowledgement(acknowledgement)).await;
    }

    /// The agent closes the stream, and the collector then too.
    pub(super) async fn closed(mut self) {
        while let Some(request) = soon(self.requests.message()).await.unwrap() {
            assert!(matches!(request.item, Some(Item::Status(_))), "{request:?}");
        }
    }
}
