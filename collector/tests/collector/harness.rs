//! A collector in this process, and an agent and a subscriber as clients.

use std::{fs, future::Future, path::Path, time::Duration};

use api::{
    pods::Pods,
    transport::{Listen, Remote},
    v1::{
        self, SubscribeRequest, events_client::EventsClient, ingest_client::IngestClient,
        publish_request, publish_response, subscribe_request::From, subscribe_response::Item,
    },
};
use collector::{
    config::{Config, LogFormat},
    server::Server,
};
use prost_types::Timestamp;
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Channel};

/// Far more than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) const EPOCH: u64 = 1_700_000_000_000_000_000;

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {DEADLINE:?}"),
    }
}

pub(crate) struct Collector {
    folder: TempDir,
    pub(crate) remote: Remote,
    pub(crate) http: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), Pods::default()).await
    }

    pub(crate) async fn with_pods(yaml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pods.yaml");
        fs::write(&path, yaml).unwrap();
        Self::start_in(folder, api::pods::read(&path).unwrap()).await
    }

    async fn start_in(folder: TempDir, pods: Pods) -> Self {
        let config = Config {
            listen: vec![
                "127.0.0.1:0".parse().unwrap(),
                Listen::Unix(folder.path().join("picket.sock")),
            ],
            metrics: ([127, 0, 0, 1], 0).into(),
            database: folder.path().join("picket.db"),
            pods,
            log: "warn".parse().unwrap(),
            log_format: LogFormat::Text,
        };
        let server = Server::bind(config).await.unwrap();
        let tcp = server.listening().next().unwrap();
        let remote = format!("http://{tcp}").parse().unwrap();
        let http = server.metrics();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let stop = async { drop(stopped.await) };
            server.run(stop).await.expect("the collector runs");
        });
        Self {
            folder,
            remote,
            http,
            stop,
            running,
        }
    }

    pub(crate) fn unix(&self) -> String {
        format!("unix:{}", self.folder.path().join("picket.sock").display())
    }

    pub(crate) async fn channel(&self) -> Channel {
        self.remote.connect().await.unwrap()
    }

    pub(crate) async fn events(&self) -> EventsClient<Channel> {
        EventsClient::new(self.channel().await)
    }

    pub(crate) async fn agent(&self, node: &str) -> Agent {
        Agent::connect(self.channel().await, node).await.unwrap()
    }

    pub(crate) async fn subscribe(&self, from: From, filter: v1::Filter) -> Subscriber {
        Subscriber::open(self.events().await, from, filter)
            .await
            .unwrap()
    }

    pub(crate) async fn stop(self) -> TempDir {
        self.stop.send(()).expect("it runs");
        within("the end", self.running).await.unwrap();
        self.folder
    }

    pub(crate) async fn restart(self) -> Self {
        Self::start_in(self.stop().await, Pods::default()).await
    }
}

pub(crate) struct Agent {
    node: String,
    requests: mpsc::Sender<v1::PublishRequest>,
    responses: Streaming<v1::PublishResponse>,
    pub(crate) welcome: u64,
    pub(crate) pods: v1::PodTable,
}

impl Agent {
    pub(crate) async fn connect(channel: Channel, node: &str) -> Result<Self, Status> {
        let hello = v1::Hello {
            node: node.into(),
            epoch: EPOCH,
            version: "0.1.0".into(),
        };
        Self::open(channel, publish_request::Item::Hello(hello)).await
    }

    pub(crate) async fn open(
        channel: Channel,
        first: publish_request::Item,
    ) -> Result<Self, Status> {
        let node = match &first {
            publish_request::Item::Hello(hello) => hello.node.clone(),
            _ => String::new(),
        };
        let (requests, receiver) = mpsc::channel(64);
        let first = v1::PublishRequest { item: Some(first) };
        requests.send(first).await.expect("the receiver is here");
        let responses = IngestClient::new(channel)
            .publish(ReceiverStream::new(receiver))
            .await?
            .into_inner();
        let mut agent = Self {
            node,
            requests,
            responses,
            welcome: 0,
            pods: v1::PodTable::default(),
        };
        match agent.next().await? {
            publish_response::Item::Welcome(welcome) => agent.welcome = welcome.sequence,
            other => panic!("{other:?} came before the welcome"),
        }
        match agent.next().await? {
            publish_response::Item::Pods(pods) => agent.pods = pods,
            other => panic!("{other:?} came before the pods"),
        }
        Ok(agent)
    }

    pub(crate) async fn next(&mut self) -> Result<publish_response::Item, Status> {
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

    pub(crate) async fn send_batch(&self, events: Vec<v1::Event>, dropped: u64) {
        let batch = v1::Batch { events, dropped };
        self.send(publish_request::Item::Batch(batch)).await;
    }

    /// Sends events with these sequences and waits for their acknowledgement.
    pub(crate) async fn publish(&mut self, sequences: impl IntoIterator<Item = u64>) {
        let events: Vec<_> = sequences
            .into_iter()
            .map(|it| event(&self.node, it))
            .collect();
        let highest = events.iter().map(sequence).max();
        self.send_batch(events, 0).await;
        let acknowledgement = self.acknowledged().await;
        assert_eq!(Some(acknowledgement.sequence), highest);
        assert_eq!(acknowledgement.refusals, []);
    }
}

pub(crate) struct Subscriber(Streaming<v1::SubscribeResponse>);

impl Subscriber {
    pub(crate) async fn open(
        mut client: EventsClient<Channel>,
        from: From,
        filter: v1::Filter,
    ) -> Result<Self, Status> {
        let request = SubscribeRequest {
            filter: Some(filter),
            from: Some(from),
        };
        Ok(Self(client.subscribe(request).await?.into_inner()))
    }

    pub(crate) async fn next(&mut self) -> Result<Item, Status> {
        let response = within("an item", self.0.message()).await?;
        let response = response.ok_or_else(|| Status::new(Code::Ok, "the stream ended"))?;
        Ok(response.item.expect("a response has an item"))
    }

    pub(crate) async fn heartbeat(&mut self) -> u64 {
        match self.next().await.unwrap() {
            Item::Heartbeat(heartbeat) => heartbeat.cursor,
            other => panic!("{other:?} is no heartbeat"),
        }
    }

    /// The next event or gap.
    pub(crate) async fn entry(&mut self) -> Item {
        loop {
            match self.next().await.unwrap() {
                Item::Heartbeat(_) => {}
                entry => return entry,
            }
        }
    }

    pub(crate) async fn event(&mut self) -> v1::Event {
        match self.entry().await {
            Item::Event(event) => event,
            other => panic!("{other:?} is no event"),
        }
    }

    /// The sequences of the next events.
    pub(crate) async fn sequences(&mut self, count: usize) -> Vec<u64> {
        let mut sequences = Vec::new();
        for _ in 0..count {
            sequences.push(sequence(&self.event().await));
        }
        sequences
    }
}

pub(crate) fn sequence(event: &v1::Event) -> u64 {
    event.id.as_ref().map_or(0, |id| id.sequence)
}

/// An event that is taken.
pub(crate) fn event(node: &str, sequence: u64) -> v1::Event {
    let seconds = 1_700_000_000 + i64::try_from(sequence).unwrap();
    let at = Some(Timestamp { seconds, nanos: 0 });
    let endpoint = |address: &str| v1::Endpoint {
        address: address.into(),
        ..Default::default()
    };
    v1::Event {
        id: Some(v1::EventId {
            node: node.into(),
            epoch: EPOCH,
            sequence,
        }),
        anomaly_id: format!("{node}/{EPOCH}/1.1/port_scan/{sequence}"),
        state: v1::State::Opened.into(),
        detector: "port_scan".into(),
        severity: v1::Severity::High.into(),
        raised_at: at,
        crossed_at: at,
        first_seen: at,
        last_seen: at,
        source: Some(endpoint("10.244.147.92")),
        targets: vec![v1::Target {
            endpoint: Some(endpoint("10.244.147.93")),
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub(crate) fn beginning() -> From {
    From::AfterCursor(0)
}

pub(crate) fn all() -> v1::Filter {
    v1::Filter::default()
}

/// Asks again until the answer is there.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

pub(crate) fn exists(path: &Path) -> Option<()> {
    path.exists().then_some(())
}
