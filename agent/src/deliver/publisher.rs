//! Delivers to the collector, whatever happens to the connection.

use std::{error::Error, time::Duration};

use api::{
    pods::Pods,
    transport::Remote,
    v1::{
        self, ingest_client::IngestClient, publish_request::Item, publish_response::Item as Answer,
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::{Interval, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tracing::{debug, info, warn};

use super::{backoff::Backoff, connection_error::ConnectionError, outbox::Outbox};

/// Events in a batch, as ingest.proto bounds it.
const BATCH: usize = 256;
/// Requests on their way to the transport; beyond them the collector's flow control decides.
const REQUESTS: usize = 4;
/// For the answer to a hello.
const PATIENCE: Duration = Duration::from_secs(10);
/// For the collector to end a stream that the agent has closed; nothing is lost by not waiting.
const CLOSING: Duration = Duration::from_secs(1);
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// Statuses after which a connection holds: of two agents with one name each is welcomed, and at once
/// replaced by the other.
const SETTLED: u32 = 5;

/// Who delivers.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Name of the node.
    pub node: String,
    /// Start of the agent, in nanoseconds since 1970.
    pub epoch: u64,
}

/// Fetches events from an [`Outbox`] and delivers them at least once, in order.
#[derive(Debug)]
pub struct Publisher {
    /// The collector.
    pub remote: Remote,
    /// Who delivers.
    pub agent: Agent,
    /// Where events come from.
    pub outbox: Outbox,
    /// Where the node's pods go when the collector tells them.
    pub pods: watch::Sender<Pods>,
    /// Where the node's status comes from.
    pub status: watch::Receiver<v1::NodeStatus>,
}

/// An open connection: both ends of the stream, and up to where the collector was sent everything.
struct Connection {
    requests: mpsc::Sender<v1::PublishRequest>,
    answers: Streaming<v1::PublishResponse>,
    sent: u64,
}

impl Publisher {
    /// Delivers until `stop` says true, and then what is left; ends when all is acknowledged.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::default();
        let mut trouble = None;
        loop {
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = self.done(&mut stop) => return,
            };
            let ended = match opened {
                Ok(connection) => {
                    trouble = None;
                    self.deliver(connection, &mut backoff, &mut stop).await
                }
                Err(error) => Err(error),
            };
            let metrics = self.outbox.metrics();
            metrics.connected.set(0);
            let Err(error) = ended else { return };
            metrics.connection_failures.inc();
            let said = error.to_string();
            if trouble.as_ref() != Some(&said) {
                warn!(
                    error = &error as &dyn Error,
                    pending = self.outbox.pending(),
                    "not delivering; events are kept and the collector is tried again"
                );
                trouble = Some(said);
            }
            tokio::select! {
                () = sleep(backoff.next()) => {}
                () = self.done(&mut stop) => return,
            }
        }
    }

    /// Waits until there is nothing to deliver any more.
    async fn done(&self, stop: &mut watch::Receiver<bool>) {
        stopped(stop).await;
        self.outbox.drained().await;
    }

    async fn open(&self) -> Result<Connection, ConnectionError> {
        let channel = self.remote.connect().await?;
        let (requests, stream) = mpsc::channel(REQUESTS);
        // The channel is empty, so this neither waits nor fails.
        requests
            .send(request(Item::Hello(self.hello())))
            .await
            .map_err(|_| self.ended())?;
        let mut client = IngestClient::new(channel);
        let stream = self.remote.authorize(ReceiverStream::new(stream))?;
        let opening = async {
            let mut answers = client.publish(stream).await?.into_inner();
            let first = answers.message().await?;
            Ok((answers, first))
        };
        let (answers, first) = timeout(PATIENCE, opening)
            .await
            .map_err(|_| self.unwelcome())?
            .map_err(|status| self.broken(status))?;
        let Some(Answer::Welcome(welcome)) = first.and_then(|first| first.item) else {
            return Err(self.unwelcome());
        };
        let sent = welcome.sequence;
        self.outbox.resume(sent);
        self.outbox.metrics().connected.set(1);
        info!(collector = %self.remote, sequence = sent, "delivering");
        Ok(Connection {
            requests,
            answers,
            sent,
        })
    }

    /// Sends what is raised and takes in what comes back, until all is done.
    async fn deliver(
        &self,
        connection: Connection,
        backoff: &mut Backoff,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), ConnectionError> {
        let Connection {
            requests,
            mut answers,
            mut sent,
        } = connection;
        let mut status = status_interval();
        let mut statuses = 0_u32;
        loop {
            tokio::select! {
                answer = answers.message() => {
                    let answer = answer.map_err(|status| self.broken(status))?;
                    self.take(answer.ok_or_else(|| self.ended())?);
                }
                permit = requests.reserve(), if self.outbox.has_batch(sent) => {
                    let permit = permit.map_err(|_| self.ended())?;
                    let (batch, last) = self.outbox.batch(sent, BATCH);
                    sent = last;
                    permit.send(request(Item::Batch(batch)));
                }
                () = self.outbox.raised() => {}
                _ = status.tick() => {
                    statuses = statuses.saturating_add(1);
                    if statuses == SETTLED {
                        backoff.reset();
                    }
                    // A collector that is not even reading needs no status.
                    if let Ok(permit) = requests.try_reserve() {
                        permit.send(request(Item::Status(self.status())));
                    }
                }
                () = self.done(stop) => break,
            }
        }
        // Closing the stream first spares the collector a broken connection.
        drop(requests);
        let rest = async {
            while let Ok(Some(answer)) = answers.message().await {
                self.take(answer);
            }
        };
        if timeout(CLOSING, rest).await.is_err() {
            debug!("the collector does not close the stream");
        }
        Ok(())
    }

    fn take(&self, answer: v1::PublishResponse) {
        match answer.item {
            Some(Answer::Acknowledgement(acknowledgement)) => {
                for refusal in &acknowledgement.refusals {
                    self.outbox.metrics().refused.inc();
                    warn!(
                        sequence = refusal.sequence,
                        reason = refusal.reason,
                        "the collector refused an event for good; it stays in this log alone"
                    );
                }
                self.outbox.acknowledge(acknowledgement.sequence);
            }
            Some(Answer::Pods(table)) => {
                let pods = table.pods.len();
                self.pods.send_replace(Pods::from_table(table));
                info!(pods, "the collector told the pods of this node");
            }
            Some(Answer::Welcome(_)) | None => {}
        }
    }

    fn hello(&self) -> v1::Hello {
        v1::Hello {
            node: self.agent.node.clone(),
            epoch: self.agent.epoch,
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    fn status(&self) -> v1::NodeStatus {
        v1::NodeStatus {
            events_pending: self.outbox.pending() as u64,
            ..self.status.borrow().clone()
        }
    }

    fn unwelcome(&self) -> ConnectionError {
        ConnectionError::NoWelcome {
            remote: self.remote.to_string(),
            patience: PATIENCE,
        }
    }

    fn ended(&self) -> ConnectionError {
        ConnectionError::Ended {
            remote: self.remote.to_string(),
        }
    }

    fn broken(&self, status: Status) -> ConnectionError {
        ConnectionError::broken(self.remote.to_string(), &self.agent.node, status)
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Who can no longer say so has stopped too.
    let _gone = stop.wait_for(|stop| *stop).await;
}

fn request(item: Item) -> v1::PublishRequest {
    v1::PublishRequest { item: Some(item) }
}

fn status_interval() -> Interval {
    let mut status = interval(STATUS_INTERVAL);
    status.set_missed_tick_behavior(MissedTickBehavior::Delay);
    status
}
