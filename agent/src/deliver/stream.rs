//! One stream to the collector, with the events of one epoch.

use std::{collections::VecDeque, time::Duration};

use api::{
    protocol::{COMMANDS, PROTOCOL, understood},
    transport::Remote,
    v1::{
        self, ingest_client::IngestClient, publish_request::Item, publish_response::Item as Answer,
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::{Interval, MissedTickBehavior, interval, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming, transport::Channel};
use tracing::{debug, info, warn};

use super::{
    backoff::Backoff,
    connection_error::ConnectionError,
    downlink::Downlink,
    outbox::Outbox,
    spool::{Batch, Position, Spool, Told},
};

/// Batches sent and not acknowledged, as ingest.proto bounds them.
const IN_FLIGHT: usize = 16;
/// Requests on their way to the transport; beyond them the collector's flow control decides.
const REQUESTS: usize = 4;
/// For the answer to a hello.
const PATIENCE: Duration = Duration::from_secs(10);
/// For the collector to end a stream that the agent has closed; nothing is lost by not waiting.
const CLOSING: Duration = Duration::from_secs(1);
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// Who talked to whom is most of a status, and little of it is news: it is in one of so many.
const EDGES_EVERY: u32 = 10;
/// Statuses after which a connection holds: of two agents with one name each is welcomed, and at once
/// replaced by the other.
const SETTLED: u32 = 5;

/// Who delivers what to whom.
pub(super) struct Delivery<'a> {
    pub(super) remote: &'a Remote,
    pub(super) node: &'a str,
    pub(super) epoch: u64,
    pub(super) outbox: &'a Outbox,
    pub(super) spool: &'a Spool,
    pub(super) downlink: &'a Downlink,
    pub(super) status: &'a watch::Receiver<v1::NodeStatus>,
}

/// Both ends of an open stream.
pub(super) struct Stream {
    requests: mpsc::Sender<v1::PublishRequest>,
    answers: Streaming<v1::PublishResponse>,
    told: watch::Receiver<Told>,
    sent: Sent,
    /// What the collector understands.
    protocol: u32,
}

struct Sent {
    /// Up to where everything was sent.
    last: u64,
    /// Where each batch ends that is not acknowledged.
    in_flight: VecDeque<u64>,
}

impl Delivery<'_> {
    pub(super) async fn open(&self, channel: Channel) -> Result<Stream, ConnectionError> {
        let (requests, stream) = mpsc::channel(REQUESTS);
        let hello = v1::Hello {
            node: self.node.into(),
            epoch: self.epoch,
            version: env!("CARGO_PKG_VERSION").into(),
            protocol: PROTOCOL,
        };
        // The channel is empty, so this neither waits nor fails.
        requests
            .send(request(Item::Hello(hello)))
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
        self.spool.resume(Position::at(self.epoch, sent)).await;
        self.outbox.metrics().connected.set(1);
        info!(
            collector = %self.remote,
            epoch = self.epoch,
            sequence = sent,
            "delivering"
        );
        Ok(Stream {
            requests,
            answers,
            told: self.spool.told(),
            protocol: understood(welcome.protocol),
            sent: Sent {
                last: sent,
                in_flight: VecDeque::new(),
            },
        })
    }

    /// Sends what waits and what is raised, and takes in what comes back, until it is another epoch's turn,
    /// or `done`; whether it was that.
    pub(super) async fn run(
        &self,
        mut stream: Stream,
        backoff: &mut Backoff,
        current: u64,
        done: impl Future<Output = ()>,
    ) -> Result<bool, ConnectionError> {
        tokio::pin!(done);
        let mut status = status_interval();
        let mut statuses = 0_u32;
        let mut outcome = None;
        let (mut is_exhausted, mut is_done) = (false, false);
        while !is_done && !stream.is_over(self.epoch, current) {
            let may_send = !is_exhausted && stream.sent.in_flight.len() < IN_FLIGHT;
            tokio::select! {
                answer = stream.answers.message() => {
                    let answer = answer.map_err(|status| self.broken(status))?;
                    self.take(&mut stream.sent, answer.ok_or_else(|| self.ended())?);
                }
                permit = stream.requests.reserve(), if may_send => {
                    let permit = permit.map_err(|_| self.ended())?;
                    // Seen before the spool is asked, so that what comes in between wakes.
                    stream.told.mark_unchanged();
                    let after = stream.sent.last;
                    let batch = self.spool.batch(Position::at(self.epoch, after)).await;
                    is_exhausted = batch.is_empty();
                    if !is_exhausted {
                        stream.sent.last = batch.last;
                        stream.sent.in_flight.push_back(batch.last);
                        permit.send(request(Item::Batch(self.batch(batch, after))));
                    }
                }
                next = self.downlink.outcomes.next(), if outcome.is_none() && stream.protocol >= COMMANDS => outcome = Some(next),
                permit = stream.requests.reserve(), if outcome.is_some() => {
                    let permit = permit.map_err(|_| self.ended())?;
                    if let Some(outcome) = outcome.take() {
                        permit.send(request(Item::Outcome(outcome)));
                    }
                }
                // The sender lives as long as the spool.
                _ = stream.told.changed() => is_exhausted = false,
                _ = status.tick() => {
                    statuses = statuses.saturating_add(1);
                    if statuses == SETTLED {
                        backoff.reset();
                    }
                    // A collector that is not even reading needs no status.
                    if let Ok(permit) = stream.requests.try_reserve() {
                        let mut status = self.outbox.complete(self.status.borrow().clone());
                        if statuses % EDGES_EVERY != 1 {
                            status.edges.clear();
                        }
                        permit.send(request(Item::Status(status)));
                    }
                }
                () = &mut done => is_done = true,
            }
        }
        self.close(stream).await;
        Ok(is_done)
    }

    /// Closing the stream first spares the collector a broken connection.
    async fn close(&self, mut stream: Stream) {
        let (closed, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut stream.requests, closed));
        let rest = async {
            while let Ok(Some(answer)) = stream.answers.message().await {
                self.take(&mut stream.sent, answer);
            }
        };
        if timeout(CLOSING, rest).await.is_err() {
            debug!("the collector does not close the stream");
        }
    }

    fn batch(&self, batch: Batch, after: u64) -> v1::Batch {
        let (mut events, mut gaps) = (batch.events, batch.gaps);
        // What was spooled under another name is this node's all the same: it was corrected since.
        let ids = gaps.iter_mut().map(|gap| &mut gap.id);
        let ids = events.iter_mut().map(|event| &mut event.id).chain(ids);
        for id in ids.flatten().filter(|id| id.node != self.node) {
            id.node = self.node.into();
        }
        for gap in &mut gaps {
            gap.node = self.node.into();
        }
        v1::Batch {
            events,
            gaps,
            after,
        }
    }

    fn take(&self, sent: &mut Sent, answer: v1::PublishResponse) {
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
                // What was never sent cannot be held.
                let sequence = acknowledgement.sequence.min(sent.last);
                sent.in_flight.retain(|last| *last > sequence);
                self.spool.acknowledge(Position::at(self.epoch, sequence));
            }
            Some(item) => {
                let dropped = &self.outbox.metrics().commands_dropped;
                self.downlink.take(item, dropped);
            }
            None => {}
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
        ConnectionError::broken(self.remote.to_string(), self.node, status)
    }
}

impl Stream {
    /// Whether all of this epoch is acknowledged, and it is another one's turn.
    fn is_over(&self, epoch: u64, current: u64) -> bool {
        let turn = self.told.borrow().oldest_epoch;
        self.sent.in_flight.is_empty() && turn.unwrap_or(current) != epoch
    }
}

fn request(item: Item) -> v1::PublishRequest {
    v1::PublishRequest { item: Some(item) }
}

fn status_interval() -> Interval {
    let mut status = interval(STATUS_INTERVAL);
    status.set_missed_tick_behavior(MissedTickBehavior::Delay);
    status
}
