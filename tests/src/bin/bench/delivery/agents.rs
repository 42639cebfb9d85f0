//! Agents as the collector sees them: a stream each, over a connection of their own.

use std::{
    collections::VecDeque,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result, bail};
use api::{
    transport::Remote,
    v1::{self, publish_request, publish_response},
};
use bytes::Bytes;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming, client::Grpc, codegen::http::uri::PathAndQuery};

use super::{
    event::event,
    flood::{Encoded, Template},
};

const METHOD: &str = "/picket.v1.Ingest/Publish";

/// Of unacknowledged batches, as a real agent sends.
const IN_FLIGHT: usize = 16;

const EPOCH: u64 = 1_795_000_000_000_000_000;

/// An agent whose hello was answered.
pub(crate) struct Agent {
    number: u32,
    name: String,
    requests: mpsc::Sender<Bytes>,
    answers: Streaming<v1::PublishResponse>,
    /// Of the last event it sent.
    sequence: u64,
}

/// What came of sending for a while.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) events: u64,
    /// From a batch's leaving to its acknowledgement.
    pub(crate) latencies: Vec<Duration>,
}

impl Agent {
    /// Connects and says hello.
    pub(crate) async fn connect(remote: &Remote, number: u32) -> Result<Self> {
        let channel = remote.connect().await?;
        let name = format!("node-{number}");
        let (requests, stream) = mpsc::channel(IN_FLIGHT);
        let hello = v1::Hello {
            node: name.clone(),
            epoch: EPOCH,
            version: env!("CARGO_PKG_VERSION").into(),
            protocol: api::protocol::PROTOCOL,
        };
        requests
            .send(request(publish_request::Item::Hello(hello)))
            .await?;
        let mut client = Grpc::new(channel);
        client.ready().await?;
        let stream = Request::new(ReceiverStream::new(stream));
        let method = PathAndQuery::from_static(METHOD);
        let answers = client.streaming(stream, method, Encoded).await?;
        let mut answers: Streaming<v1::PublishResponse> = answers.into_inner();
        let first = answers.message().await?.and_then(|first| first.item);
        let Some(publish_response::Item::Welcome(welcome)) = first else {
            bail!("the collector sent no welcome but {first:?}");
        };
        Ok(Self {
            number,
            name,
            requests,
            answers,
            sequence: welcome.sequence,
        })
    }

    /// Sends batches of `size` events as fast as they are acknowledged.
    #[expect(clippy::disallowed_methods, reason = "time is what is measured")]
    pub(crate) async fn flood(&mut self, size: u64, time: Duration) -> Result<Sent> {
        let template = Template::new((1..=size).map(|sequence| self.event(sequence)));
        let until = Instant::now() + time;
        let mut sent = Sent::default();
        let mut waiting = VecDeque::new();
        loop {
            let open = Instant::now() < until;
            if open && waiting.len() < IN_FLIGHT {
                let batch = template.request(self.sequence);
                self.sequence += template.len();
                waiting.push_back((self.sequence, Instant::now()));
                self.requests.send(batch).await?;
            } else if waiting.is_empty() {
                return Ok(sent);
            } else {
                let acknowledged = self.acknowledged().await?;
                while let Some(&(last, left)) = waiting.front()
                    && last <= acknowledged
                {
                    waiting.pop_front();
                    sent.events += size;
                    sent.latencies.push(left.elapsed());
                }
            }
        }
    }

    /// Sends one batch and waits until it is acknowledged.
    pub(crate) async fn send(&mut self, size: u64) -> Result<()> {
        let batch = self.batch(size);
        self.requests.send(batch).await?;
        while self.acknowledged().await? < self.sequence {}
        Ok(())
    }

    async fn acknowledged(&mut self) -> Result<u64> {
        loop {
            let answer = self
                .answers
                .message()
                .await?
                .context("the collector ended the stream")?;
            if let Some(publish_response::Item::Acknowledgement(it)) = answer.item {
                if let Some(refusal) = it.refusals.first() {
                    bail!("the collector refused an event: {}", refusal.reason);
                }
                return Ok(it.sequence);
            }
        }
    }

    fn batch(&mut self, size: u64) -> Bytes {
        let after = self.sequence;
        self.sequence += size;
        let events = (after + 1..=self.sequence).map(|sequence| self.event(sequence));
        request(publish_request::Item::Batch(v1::Batch {
            events: events.collect(),
            after,
            ..v1::Batch::default()
        }))
    }

    #[expect(clippy::disallowed_methods, reason = "events are raised now")]
    fn event(&self, sequence: u64) -> v1::Event {
        let id = v1::EventId {
            node: self.name.clone(),
            epoch: EPOCH,
            sequence,
        };
        event(self.number, id, SystemTime::now())
    }
}

fn request(item: publish_request::Item) -> Bytes {
    v1::PublishRequest { item: Some(item) }
        .encode_to_vec()
        .into()
}
