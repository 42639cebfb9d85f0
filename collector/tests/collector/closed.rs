//! A collector that speaks TLS, and the certificates of its peers.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use api::{
    certificates::{Authority, Issued, LEAF_DAYS, Purpose},
    principal::Principal,
    transport::{Credentials, Remote},
    v1::events_client::EventsClient,
};
use clap::Parser as _;
use collector::{
    config::{Config, Flags},
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
    harness::{all, beginning, eventually, now, within},
    subscriber::Subscriber,
};

pub(crate) const TOKEN: &str = "a-token-of-the-blue-team";
pub(crate) const WALL: &str = "a-token-of-the-wall-display";
pub(crate) const ADMIN: &str = "a-token-of-the-administrator";

/// A collector that speaks TLS, with its authority.
pub(crate) struct Closed {
    pub(crate) folder: TempDir,
    pub(crate) authority: Authority,
    pub(crate) address: SocketAddr,
    /// Where the page is served.
    pub(crate) page: String,
    metrics: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

pub(crate) fn node(authority: &Authority, name: &str) -> Issued {
    let purpose = Purpose::Client(Principal::Node(name));
    authority.issue(purpose, LEAF_DAYS, now()).unwrap()
}

pub(crate) fn subscriber(authority: &Authority, name: &str) -> Issued {
    let purpose = Purpose::Client(Principal::Subscriber(name));
    authority.issue(purpose, LEAF_DAYS, now()).unwrap()
}

pub(crate) fn server(authority: &Authority) -> Issued {
    let names = ["127.0.0.1".to_owned()];
    authority
        .issue(Purpose::Server(&names), LEAF_DAYS, now())
        .unwrap()
}

impl Closed {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), 10, now()).unwrap();
        let certificate = server(&authority);
        for (file, token) in [("blue", TOKEN), ("wall", WALL), ("admin", ADMIN)] {
            fs::write(folder.path().join(format!("{file}.token")), token).unwrap();
        }
        let subscribers = folder.path().join("subscribers.yaml");
        fs::write(
            &subscribers,
            "subscribers:\n\
             - {name: ops, certificate: true, namespaces: all}\n\
             - {name: blue, token_file: blue.token, namespaces: [blue]}\n\
             - {name: wall, token_file: wall.token, namespaces: all, read_only: true}\n\
             - {name: admin, token_file: admin.token, namespaces: all, detectors: true}\n",
        )
        .unwrap();
        let pods = folder.path().join("pods.yaml");
        fs::write(
            &pods,
            "pods:\n\
             - {namespace: blue, name: app1, addresses: [10.244.147.92]}\n\
             - {namespace: red, name: app2, addresses: [10.244.147.95]}\n",
        )
        .unwrap();
        let text = |path: &Path| path.display().to_string();
        let flags = Flags::parse_from([
            "picket-collector".to_owned(),
            "--listen=127.0.0.1:0".into(),
            format!("--listen=unix:{}", text(&folder.path().join("picket.sock"))),
            "--metrics=127.0.0.1:0".into(),
            "--page=127.0.0.1:0".into(),
            format!("--database={}", text(&folder.path().join("picket.db"))),
            format!("--pod-table={}", text(&pods)),
            format!("--tls-cert={}", text(&certificate.certificate)),
            format!("--tls-key={}", text(&certificate.key)),
            format!("--tls-client-ca={}", text(&authority.certificate())),
            format!("--tls-crl={}", text(&authority.revocations())),
            format!("--subscribers={}", text(&subscribers)),
        ]);
        let server = Server::bind(Config::load(flags).unwrap()).await.unwrap();
        let address = server.listening().next().unwrap().to_string();
        let metrics = server.metrics();
        let page = server.page().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let stop = async { drop(stopped.await) };
            server.run(stop).await.expect("the collector runs");
        });
        Self {
            folder,
            authority,
            address: address.parse().unwrap(),
            page,
            metrics,
            stop,
            running,
        }
    }

    pub(crate) fn remote(&self, own: Option<Issued>) -> Remote {
        self.remote_of(self.authority.certificate(), own)
    }

    pub(crate) fn remote_of(&self, ca: PathBuf, own: Option<Issued>) -> Remote {
        let remote: Remote = format!("https://{}", self.address).parse().unwrap();
        let credentials = Credentials {
            ca: Some(ca),
            certificate: own.map(|it| (it.certificate, it.key)),
            ..Credentials::default()
        };
        remote.with(credentials).unwrap()
    }

    pub(crate) async fn channel(&self, own: Option<Issued>) -> Channel {
        within("a connection", self.remote(own).connect())
            .await
            .unwrap()
    }

    pub(crate) async fn agent(&self, certificate: &str, node_name: &str) -> Result<Agent, Status> {
        let own = node(&self.authority, certificate);
        Agent::connect(self.channel(Some(own)).await, node_name).await
    }

    pub(crate) async fn ops(&self) -> Subscriber {
        let own = subscriber(&self.authority, "ops");
        let client = EventsClient::new(self.channel(Some(own)).await);
        Subscriber::open(client, beginning(), all()).await.unwrap()
    }

    /// The value of a counter.
    pub(crate) async fn counted(&self, line: &str) -> u64 {
        let mut stream = TcpStream::connect(self.metrics).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nHost: picket\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut page = String::new();
        within("the page", stream.read_to_string(&mut page))
            .await
            .unwrap();
        let found = page.lines().find_map(|it| it.strip_prefix(line));
        found
            .unwrap_or_else(|| panic!("no {line} in {page}"))
            .trim()
            .parse()
            .unwrap()
    }

    pub(crate) async fn counts(&self, line: &str) {
        eventually(line, async || (self.counted(line).await > 0).then_some(())).await;
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("it runs");
        within("the end", self.running).await.unwrap();
    }
}
