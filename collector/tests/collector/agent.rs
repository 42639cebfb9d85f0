//! A client of `Ingest`.

use api::{
    protocol::PROTOCOL,
    v1::{self, ingest_client::IngestClient, publish_request, publish_response},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, Streaming, metadata::AsciiMetadataValue, transport::Channel};

use crate::harness::{EPOCH, event, sequence, within};

pub(crate) struct Agent {
    node: String,
    requests: mpsc::Sender<v1::PublishRequest>,
    responses: Streaming<v1::PublishResponse>,
    pub(crate) welcome: u64,
    pub(crate) pods: v1::PodTable,
    /// One that came while something else was waited for.
    policy: Option<v1::Policy>,
}

impl Agent {
    pub(crate) async fn connect(channel: Channel, node: &str) -> Result<Self, Status> {
        let hello = v1::Hello {
            node: node.into(),
            epoch: EPOCH,
            version: "0.1.0".into(),
            protocol: PROTOCOL,
        };
        Self::open(channel, publish_request::Item::Hello(hello)).await
    }

    /// The same, with a bearer token.
    pub(crate) async fn open_with(
        channel: Channel,
        node: &str,
        bearer: AsciiMetadataValue,
    ) -> Result<Self, Status> {
        let hello = v1::Hello {
            node: node.into(),
            epoch: EPOCH,
            version: "0.1.0".into(),
            protocol: PROTOCOL,
        };
        Self::start(
            channel,
            publish_request::Item::Hello(hello),
            Some(bearer),
            true,
        )
        .await
    }

    pub(crate) async fn open(
        channel: Channel,
        first: publish_request::Item,
    ) -> Result<Self, Status> {
        Self::start(channel, first, None, true).await
    }

    async fn start(
        channel: Channel,
        first: publish_request::Item,
        bearer: Option<AsciiMetadataValue>,
        awaits_pods: bool,
    ) -> Result<Self, Status> {
        let node = match &first {
            publish_request::Item::Hello(hello) => hello.node.clone(),
            _ => String::new(),
        };
        let (requests, receiver) = mpsc::channel(64);
        let first = v1::PublishRequest { item: Some(first) };
        requests.send(first).await.expect("the receiver is here");
        let mut request = Request::new(ReceiverStream::new(receiver));
        if let Some(bearer) = bearer {
            request.metadata_mut().insert("authorization", bearer);
        }
        let responses = IngestClient::new(channel)
            .publish(request)
            .await?
            .into_inner();
        let mut agent = Self {
            node,
            requests,
            responses,
            welcome: 0,
            pods: v1::PodTable::default(),
            policy: None,
        };
        match agent.next().await? {
            publish_response::Item::Welcome(welcome) => agent.welcome = welcome.sequence,
            other => panic!("{other:?} came before the welcome"),
        }
        if awaits_pods {
            match agent.next().await? {
                publish_response::Item::Pods(pods) => agent.pods = pods,
                other => panic!("{other:?} came before the pods"),
            }
        }
        Ok(agent)
    }

    /// The same of a collector that knows no pods yet.
    pub(crate) async fn connect_untold(channel: Channel, node: &str) -> Self {
        let hello = v1::Hello {
            node: node.into(),
            epoch: EPOCH,
            version: "0.1.0".into(),
            protocol: PROTOCOL,
        };
        let first = publish_request::Item::Hello(hello);
        Self::start(channel, first, None, false).await.unwrap()
    }

    /// The next thing that is neither a policy nor a table of Services.
    pub(crate) async fn next(&mut self) -> Result<publish_response::Item, Status> {
        loop {
            match self.any().await? {
                publish_response::Item::Policy(policy) => self.policy = Some(policy),
                publish_response::Item::Services(_) | publish_response::Item::ServiceChanges(_) => {
                }
                other => return Ok(other),
            }
        }
    }

    /// The next policy, while little else comes.
    pub(crate) async fn policy(&mut self) -> v1::Policy {
        loop {
            if let Some(policy) = self.policy.take() {
                return policy;
            }
            match self.any().await.unwrap() {
                publish_response::Item::Policy(policy) => return policy,
                publish_response::Item::Services(_) | publish_response::Item::ServiceChanges(_) => {
                }
                other => panic!("{other:?} is no policy"),
            }
        }
    }

    /// The next thing, whatever it is.
    pub(crate) async fn any(&mut self) -> Result<publish_response::Item, Status> {
        let response = within("a response", self.responses.message()).await?;
        let response = response.ok_or_else(|| Status::new(Code::Ok, "the stream ended"))?;
        Ok(response.item.expect("a response has an item"))
    }

    pub(crate) async fn acknowledged(&mut self) -> v1::Acknowledgement {
        match self.next().await.unwrap() {
            publish_response::Item::Acknowledgement(acknowledgement) => acknowledgement,
            other => panic!("{other:?} is no acknowledgement"),
        }
    }

    pub(crate) async fn send(&self, item: publish_request::Item) {
        let request = v1::PublishRequest { item: Some(item) };
        within("a send", self.requests.send(request)).await.unwrap();
    }

    /// As an agent would that is newer than the collector.
    pub(crate) async fn send_what_nobody_knows(&self) {
        let request = v1::PublishRequest { item: None };
        within("a send", self.requests.send(request)).await.unwrap();
    }

    pub(crate) async fn send_batch(&self, events: Vec<v1::Event>) {
        let batch = v1::Batch {
            events,
            ..Default::default()
        };
        self.send(publish_request::Item::Batch(batch)).await;
    }

    /// Sends events with these sequences, which follow that one, and waits for nothing.
    pub(crate) async fn send_after(&self, after: u64, sequences: impl IntoIterator<Item = u64>) {
        let events = sequences.into_iter().map(|it| event(&self.node, it));
        let batch = v1::Batch {
            events: events.collect(),
            after,
            ..Default::default()
        };
        self.send(publish_request::Item::Batch(batch)).await;
    }

    /// Sends events with these sequences and waits for their acknowledgement.
    pub(crate) async fn publish(&mut self, sequences: impl IntoIterator<Item = u64>) {
        let events: Vec<_> = sequences
            .into_iter()
            .map(|it| event(&self.node, it))
            .collect();
        let highest = events.iter().map(sequence).max();
        self.send_batch(events).await;
        let acknowledgement = self.acknowledged().await;
        assert_eq!(Some(acknowledgement.sequence), highest);
        assert_eq!(acknowledgement.refusals, []);
    }
}
