//! A collector in this process.

use std::{
    fs,
    future::Future,
    net::SocketAddr,
    path::Path,
    time::{Duration, SystemTime},
};

use api::{
    pods::Pods,
    transport::{Listen, Remote},
    v1::{self, Timestamp, events_client::EventsClient, subscribe_request::From},
};
use collector::{
    config::{Cluster, Config, LogFormat, Outputs, Retain, Security, Settings},
    server::Server,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tonic::{Status, transport::Channel};

use crate::{
    agent::Agent,
    engine::{Engine, Other},
    subscriber::Subscriber,
};

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
    engine: Engine,
    folder: TempDir,
    pub(crate) remote: Remote,
    http: SocketAddr,
    page: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start(engine: &Engine) -> Self {
        Self::start_in(engine, tempfile::tempdir().unwrap(), Pods::default()).await
    }

    /// Keeps no more than this.
    pub(crate) async fn keeping(engine: &Engine, retain: Retain) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_with(engine, folder, Pods::default(), retain).await
    }

    /// Why one cannot start.
    pub(crate) async fn refused(engine: &Engine) -> String {
        let folder = tempfile::tempdir().unwrap();
        let config = config(engine, folder.path(), Pods::default(), Retain::default());
        let error = Server::bind(config).await.expect_err("it cannot start");
        format!("{:#}", anyhow::Error::from(error))
    }

    /// Keeps its files in this folder.
    pub(crate) async fn within(engine: &Engine, folder: TempDir) -> Self {
        Self::start_in(engine, folder, Pods::default()).await
    }

    pub(crate) async fn with_pods(engine: &Engine, yaml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pods.yaml");
        fs::write(&path, yaml).unwrap();
        Self::start_in(engine, folder, api::pods::read(&path).unwrap()).await
    }

    async fn start_in(engine: &Engine, folder: TempDir, pods: Pods) -> Self {
        Self::start_with(engine, folder, pods, Retain::default()).await
    }

    async fn start_with(engine: &Engine, folder: TempDir, pods: Pods, retain: Retain) -> Self {
        let config = config(engine, folder.path(), pods, retain);
        Self::start_as(engine, folder, config).await
    }

    /// Tells agents what this file says.
    pub(crate) async fn with_detectors(engine: &Engine, path: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            detectors: Some(path.to_owned()),
            ..config(engine, folder.path(), Pods::default(), Retain::default())
        };
        Self::start_as(engine, folder, config).await
    }

    /// Knows these pods, and tells agents that.
    pub(crate) async fn describing(engine: &Engine, pods: &str, detectors: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [table, policy] = ["pods.yaml", "detectors.yaml"].map(|it| folder.path().join(it));
        fs::write(&table, pods).unwrap();
        fs::write(&policy, detectors).unwrap();
        let pods = api::pods::read(&table).unwrap();
        let config = Config {
            detectors: Some(policy),
            ..config(engine, folder.path(), pods, Retain::default())
        };
        Self::start_as(engine, folder, config).await
    }

    /// Sends what it keeps there.
    pub(crate) async fn sending(
        engine: &Engine,
        folder: TempDir,
        outputs: Outputs,
        retain: Retain,
    ) -> Self {
        let config = Config {
            outputs: Some(outputs),
            ..config(engine, folder.path(), Pods::default(), retain)
        };
        Self::start_as(engine, folder, config).await
    }

    /// Learns names from this cluster.
    pub(crate) async fn watching(engine: &Engine, cluster: Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            cluster: Some(cluster),
            ..config(engine, folder.path(), Pods::default(), Retain::default())
        };
        Self::start_as(engine, folder, config).await
    }

    async fn start_as(engine: &Engine, folder: TempDir, config: Config) -> Self {
        let server = Server::bind(config).await.unwrap();
        let tcp = server.listening().next().unwrap();
        let remote = format!("http://{tcp}").parse().unwrap();
        let http = server.metrics();
        let page = server.page().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let stop = async { drop(stopped.await) };
            server.run(stop).await.expect("the collector runs");
        });
        Self {
            engine: engine.clone(),
            folder,
            remote,
            http,
            page,
            stop,
            running,
        }
    }

    pub(crate) fn unix(&self) -> String {
        format!("unix:{}", self.folder.path().join("picket.sock").display())
    }

    /// Somebody else's connection to the database.
    pub(crate) async fn other(&self) -> Other {
        self.engine.other(self.folder.path()).await
    }

    /// The answer to a GET, with its head.
    pub(crate) async fn page(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: picket\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        within("the page", stream.read_to_string(&mut response))
            .await
            .unwrap();
        response
    }

    /// Where the page is served.
    pub(crate) fn page_address(&self) -> &str {
        &self.page
    }

    /// The value of a metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let page = self.page("/metrics").await;
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|it| it.parse().ok()).expect(name)
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

    /// One that may not be told its pods.
    pub(crate) async fn agent_untold(&self, node: &str) -> Agent {
        Agent::connect_untold(self.channel().await, node).await
    }

    /// Every event that is stored.
    pub(crate) async fn log(&self) -> Vec<v1::Event> {
        let request = v1::ListRequest::default();
        let listed = self.events().await.list(request).await.unwrap();
        listed.into_inner().events
    }

    pub(crate) async fn subscribe(&self, from: From, filter: v1::Filter) -> Subscriber {
        Subscriber::open(self.events().await, from, filter)
            .await
            .unwrap()
    }

    /// From a cursor, which may be refused.
    pub(crate) async fn subscribe_to(&self, from: From) -> Result<Subscriber, Status> {
        Subscriber::open(self.events().await, from, all()).await
    }

    pub(crate) async fn stop(self) -> TempDir {
        self.stop.send(()).expect("it runs");
        within("the end", self.running).await.unwrap();
        self.folder
    }

    pub(crate) async fn restart(self) -> Self {
        let engine = self.engine.clone();
        Self::start_in(&engine, self.stop().await, Pods::default()).await
    }
}

fn config(engine: &Engine, folder: &Path, pods: Pods, retain: Retain) -> Config {
    Config {
        listen: vec![
            "127.0.0.1:0".parse().unwrap(),
            Listen::Unix(folder.join("picket.sock")),
        ],
        metrics: ([127, 0, 0, 1], 0).into(),
        page: Some("127.0.0.1:0".parse().unwrap()),
        database: engine.database(folder).parse().unwrap(),
        retain,
        pods,
        detectors: None,
        detectors_config_map: None,
        outputs: None,
        cluster: None,
        correlate: Settings::default(),
        security: Security::default(),
        log: "warn".parse().unwrap(),
        log_format: LogFormat::Text,
    }
}

#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
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

/// A gap that is taken.
pub(crate) fn gap(node: &str, first: u64, last: u64) -> v1::Gap {
    v1::Gap {
        events: last - first + 1,
        reason: "the spool was full".into(),
        id: event(node, first).id,
        last_sequence: last,
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
