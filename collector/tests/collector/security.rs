//! Who may do what, over real TLS with the certificates that `picket certs` makes.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use api::{
    certificates::{Authority, Issued, LEAF_DAYS, Purpose},
    principal::Principal,
    transport::{Credentials, Remote},
    v1::{
        self, GetRequest, ListNodesRequest, ListRequest, events_client::EventsClient,
        nodes_client::NodesClient,
    },
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
use tonic::{Code, Status, metadata::MetadataValue, transport::Channel};

use crate::{
    agent::Agent,
    harness::{all, beginning, event, eventually, now, within},
    subscriber::Subscriber,
};

const TOKEN: &str = "a token of the blue team";

/// A collector that speaks TLS, with its authority.
struct Closed {
    folder: TempDir,
    authority: Authority,
    address: SocketAddr,
    metrics: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

fn node(authority: &Authority, name: &str) -> Issued {
    let purpose = Purpose::Client(Principal::Node(name));
    authority.issue(purpose, LEAF_DAYS, now()).unwrap()
}

fn subscriber(authority: &Authority, name: &str) -> Issued {
    let purpose = Purpose::Client(Principal::Subscriber(name));
    authority.issue(purpose, LEAF_DAYS, now()).unwrap()
}

fn server(authority: &Authority) -> Issued {
    let names = ["127.0.0.1".to_owned()];
    authority
        .issue(Purpose::Server(&names), LEAF_DAYS, now())
        .unwrap()
}

impl Closed {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), 10, now()).unwrap();
        let certificate = server(&authority);
        fs::write(folder.path().join("blue.token"), TOKEN.replace(' ', "-")).unwrap();
        let subscribers = folder.path().join("subscribers.yaml");
        fs::write(
            &subscribers,
            "subscribers:\n\
             - {name: ops, certificate: true, namespaces: all}\n\
             - {name: blue, token_file: blue.token, namespaces: [blue]}\n",
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
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let stop = async { drop(stopped.await) };
            server.run(stop).await.expect("the collector runs");
        });
        Self {
            folder,
            authority,
            address: address.parse().unwrap(),
            metrics,
            stop,
            running,
        }
    }

    fn remote(&self, own: Option<Issued>) -> Remote {
        self.remote_of(self.authority.certificate(), own)
    }

    fn remote_of(&self, ca: PathBuf, own: Option<Issued>) -> Remote {
        let remote: Remote = format!("https://{}", self.address).parse().unwrap();
        let credentials = Credentials {
            ca: Some(ca),
            certificate: own.map(|it| (it.certificate, it.key)),
            ..Credentials::default()
        };
        remote.with(credentials).unwrap()
    }

    async fn channel(&self, own: Option<Issued>) -> Channel {
        within("a connection", self.remote(own).connect())
            .await
            .unwrap()
    }

    async fn agent(&self, certificate: &str, node_name: &str) -> Result<Agent, Status> {
        let own = node(&self.authority, certificate);
        Agent::connect(self.channel(Some(own)).await, node_name).await
    }

    async fn ops(&self) -> Subscriber {
        let own = subscriber(&self.authority, "ops");
        let client = EventsClient::new(self.channel(Some(own)).await);
        Subscriber::open(client, beginning(), all()).await.unwrap()
    }

    /// The value of a counter.
    async fn counted(&self, line: &str) -> u64 {
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

    async fn counts(&self, line: &str) {
        eventually(line, async || (self.counted(line).await > 0).then_some(())).await;
    }

    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        within("the end", self.running).await.unwrap();
    }
}

const FOREIGN: &str = "picket_collector_denied_requests_total{reason=\"foreign_node\"}";
const NOBODY: &str = "picket_collector_denied_requests_total{reason=\"nobody\"}";
const SUBSCRIBER: &str = "picket_collector_denied_requests_total{reason=\"subscriber\"}";
const WRONG_TOKEN: &str = "picket_collector_denied_requests_total{reason=\"token\"}";
const OUTSIDE: &str = "picket_collector_denied_requests_total{reason=\"scope\"}";
const HANDSHAKE: &str = "picket_collector_refused_connections_total{reason=\"handshake\"}";
const REVOKED: &str = "picket_collector_refused_connections_total{reason=\"revoked\"}";
const TAKEN: &str = "picket_collector_secrets_reread_total{outcome=\"taken\"}";
const BROKEN: &str = "picket_collector_secrets_reread_total{outcome=\"broken\"}";

#[tokio::test]
async fn an_agent_speaks_for_its_node_and_for_no_other() {
    let collector = Closed::start().await;
    let mut agent = collector.agent("n1", "n1").await.unwrap();
    agent.publish([1]).await;

    let foreign = collector.agent("n2", "n1").await.err().unwrap();
    assert_eq!(foreign.code(), Code::PermissionDenied);
    assert!(
        foreign.message().contains("`n1`") && foreign.message().contains("`n2`"),
        "{foreign}"
    );
    collector.counts(FOREIGN).await;
    // The one that may was not disturbed.
    agent.publish([2]).await;

    // A batch of another node within its own stream, with a sequence that node has used.
    agent.send_batch(vec![event("n2", 1), event("n1", 3)]).await;
    let acknowledged = agent.acknowledged().await;
    assert!(acknowledged.refusals[0].reason.contains("`n2`"));

    let nobody = Agent::connect(collector.channel(None).await, "n1")
        .await
        .err()
        .unwrap();
    assert_eq!(nobody.code(), Code::Unauthenticated, "{nobody}");
    collector.counts(NOBODY).await;
    let own = subscriber(&collector.authority, "n1");
    let other = Agent::connect(collector.channel(Some(own)).await, "n1")
        .await
        .err()
        .unwrap();
    assert_eq!(other.code(), Code::PermissionDenied, "{other}");
    collector.stop().await;
}

#[tokio::test]
async fn a_node_is_no_subscriber_and_a_unix_socket_is_for_whom_the_file_system_lets_in() {
    let collector = Closed::start().await;
    let own = node(&collector.authority, "n1");
    let client = EventsClient::new(collector.channel(Some(own)).await);
    let refused = Subscriber::open(client, beginning(), all())
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    collector.counts(SUBSCRIBER).await;
    let own = subscriber(&collector.authority, "unlisted");
    let client = EventsClient::new(collector.channel(Some(own)).await);
    let refused = Subscriber::open(client, beginning(), all())
        .await
        .err()
        .unwrap();
    assert!(refused.message().contains("`unlisted`"), "{refused}");

    let path = collector.folder.path().join("picket.sock");
    let local: Remote = format!("unix:{}", path.display()).parse().unwrap();
    let channel = local.connect().await.unwrap();
    Agent::connect(channel.clone(), "n1")
        .await
        .unwrap()
        .publish([1])
        .await;
    let mut subscriber = Subscriber::open(EventsClient::new(channel), beginning(), all())
        .await
        .unwrap();
    subscriber.event().await;
    collector.stop().await;
}

async fn refused_by_tls(remote: Remote) {
    // TLS 1.3 lets a client believe it is connected until it is told.
    if let Ok(channel) = remote.connect().await {
        let status = Agent::connect(channel, "n1").await.err();
        let status = status.expect("it is refused");
        eprintln!("{status:?}");
        let code = status.code();
        assert!(
            matches!(code, Code::Unknown | Code::Unavailable),
            "{status:?}"
        );
    }
}

#[tokio::test]
async fn certificates_that_are_revoked_expired_or_of_another_authority_are_refused() {
    let collector = Closed::start().await;
    let other = tempfile::tempdir().unwrap();
    let other =
        Authority::create(other.path(), 10, now()).unwrap_or_else(|error| panic!("{error}"));
    assert!(other.certificate().exists());

    let foreign = collector.remote_of(collector.authority.certificate(), Some(node(&other, "n1")));
    refused_by_tls(foreign).await;
    let long_ago = now() - Duration::from_secs(100 * 86_400);
    let purpose = Purpose::Client(Principal::Node("n1"));
    let expired = collector
        .authority
        .issue(purpose, LEAF_DAYS, long_ago)
        .unwrap();
    refused_by_tls(collector.remote(Some(expired))).await;
    collector.counts(HANDSHAKE).await;

    // And the client knows its collector.
    let error = collector
        .remote_of(other.certificate(), None)
        .connect()
        .await
        .unwrap_err();
    let chain = anyhow::Error::from(error);
    assert!(format!("{chain:#}").contains("UnknownIssuer"), "{chain:#}");
    collector.stop().await;
}

#[tokio::test]
async fn who_is_revoked_is_disconnected_and_stays_out() {
    let collector = Closed::start().await;
    let (good, bad) = (
        node(&collector.authority, "n1"),
        node(&collector.authority, "n2"),
    );
    let mut good = Agent::connect(collector.channel(Some(good)).await, "n1")
        .await
        .unwrap();
    let remote = collector.remote(Some(bad.clone()));
    let mut connected = Agent::connect(remote.connect().await.unwrap(), "n2")
        .await
        .unwrap();
    connected.publish([1]).await;

    let which = bad.certificate.display().to_string();
    collector.authority.revoke(&which, now()).unwrap();
    connected.next().await.unwrap_err();
    collector.counts(REVOKED).await;
    refused_by_tls(remote).await;
    good.publish([1]).await;
    collector.stop().await;
}

#[tokio::test]
async fn certificates_change_under_a_live_stream_and_broken_ones_change_nothing() {
    let collector = Closed::start().await;
    let mut agent = collector.agent("n1", "n1").await.unwrap();
    let mut ops = collector.ops().await;
    agent.publish([1]).await;
    ops.event().await;

    server(&collector.authority);
    collector.counts(TAKEN).await;
    agent.publish([2]).await;
    ops.event().await;
    collector
        .agent("n2", "n2")
        .await
        .unwrap()
        .publish([1])
        .await;
    ops.event().await;

    fs::write(
        collector.folder.path().join("server-127.0.0.1.crt"),
        "nonsense",
    )
    .unwrap();
    collector.counts(BROKEN).await;
    agent.publish([3]).await;
    ops.event().await;
    collector
        .agent("n3", "n3")
        .await
        .unwrap()
        .publish([1])
        .await;
    ops.event().await;
    collector.stop().await;
}

async fn with_token(collector: &Closed, token: &str) -> Result<v1::ListResponse, Status> {
    list(collector, token, &[]).await
}

async fn list(
    collector: &Closed,
    token: &str,
    namespaces: &[&str],
) -> Result<v1::ListResponse, Status> {
    let mut request = tonic::Request::new(ListRequest {
        filter: Some(v1::Filter {
            namespaces: namespaces.iter().map(ToString::to_string).collect(),
            ..Default::default()
        }),
        ..Default::default()
    });
    let bearer = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let mut client = EventsClient::new(collector.channel(None).await);
    client.list(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_token_shows_its_namespaces_and_no_others() {
    let collector = Closed::start().await;
    let token = TOKEN.replace(' ', "-");
    let mut agent = collector.agent("n1", "n1").await.unwrap();
    let mut red = event("n1", 2);
    red.source.get_or_insert_default().address = "10.244.147.95".into();
    // Of an unknown source, and so of its target.
    let mut nobodys = event("n1", 3);
    nobodys.source = Some(v1::Endpoint::default());
    nobodys.targets[0].endpoint.get_or_insert_default().address = "10.244.147.92".into();
    agent.send_batch(vec![event("n1", 1), red, nobodys]).await;
    agent.acknowledged().await;

    let seen = with_token(&collector, &token).await.unwrap();
    let seen: Vec<_> = seen.events.iter().map(crate::harness::sequence).collect();
    assert_eq!(seen, [1, 3]);
    assert_eq!(
        list(&collector, &token, &["red", "blue"])
            .await
            .unwrap()
            .events
            .len(),
        2
    );
    let outside = list(&collector, &token, &["red"]).await.unwrap_err();
    assert_eq!(outside.code(), Code::PermissionDenied, "{outside}");
    let wrong = with_token(&collector, "a-token-of-nobody-here")
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Code::Unauthenticated, "{wrong}");
    collector.counts(OUTSIDE).await;
    collector.counts(WRONG_TOKEN).await;

    let bearer: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
    let authorized = |request: &mut tonic::metadata::MetadataMap| {
        request.insert("authorization", bearer.clone());
    };
    for (sequence, code) in [(1, None), (2, Some(Code::NotFound))] {
        let mut request = tonic::Request::new(GetRequest {
            id: event("n1", sequence).id,
        });
        authorized(request.metadata_mut());
        let got = EventsClient::new(collector.channel(None).await)
            .get(request)
            .await;
        assert_eq!(got.err().map(|it| it.code()), code);
    }
    let mut request = tonic::Request::new(ListNodesRequest {});
    authorized(request.metadata_mut());
    let nodes = NodesClient::new(collector.channel(None).await)
        .list(request)
        .await
        .unwrap_err();
    assert_eq!(nodes.code(), Code::PermissionDenied, "{nodes}");
    let own = subscriber(&collector.authority, "ops");
    let nodes = NodesClient::new(collector.channel(Some(own)).await)
        .list(ListNodesRequest {})
        .await;
    assert_eq!(nodes.unwrap().into_inner().nodes.len(), 1);
    collector.stop().await;
}

#[tokio::test]
async fn a_subscriber_that_is_struck_off_is_disconnected() {
    let collector = Closed::start().await;
    let mut ops = collector.ops().await;
    ops.heartbeat().await;
    let file = collector.folder.path().join("subscribers.yaml");
    let kept = "subscribers:\n- {name: blue, token_file: blue.token, namespaces: [blue]}\n";
    fs::write(&file, kept).unwrap();
    let end = async { while ops.next().await.is_ok() {} };
    within("the end of the stream", end).await;
    let token = TOKEN.replace(' ', "-");
    with_token(&collector, &token).await.unwrap();
    collector.stop().await;
}

#[tokio::test]
async fn handshakes_that_stall_delay_nobody() {
    let collector = Closed::start().await;
    let mut silent = Vec::new();
    for _ in 0..500 {
        silent.push(TcpStream::connect(collector.address).await.unwrap());
    }
    let soon = Duration::from_secs(5);
    let agent = tokio::time::timeout(soon, collector.agent("n1", "n1")).await;
    agent
        .expect("an agent connects within seconds")
        .unwrap()
        .publish([1])
        .await;
    let stalled = "picket_collector_refused_connections_total{reason=\"stalled_handshake\"}";
    collector.counts(stalled).await;
    drop(silent);
    collector.stop().await;
}

#[tokio::test]
async fn what_is_no_grpc_is_turned_away() {
    let collector = Closed::start().await;
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: picket\r\n\r\n"[..],
        &[0xff; 64],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(collector.address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        drop(within("the end", stream.read_to_end(&mut answer)).await);
    }
    assert!(collector.counted(HANDSHAKE).await >= 3);
    collector
        .agent("n1", "n1")
        .await
        .unwrap()
        .publish([1])
        .await;
    collector.stop().await;
}

#[tokio::test]
async fn what_is_too_large_ends_its_stream_alone() {
    let collector = Closed::start().await;
    let own = node(&collector.authority, "n1");
    let channel = collector.channel(Some(own)).await;
    let mut agent = Agent::connect(channel.clone(), "n1").await.unwrap();
    let mut large = event("n1", 1);
    large.summary = "x".repeat(api::transport::LARGEST_REQUEST);
    agent.send_batch(vec![large]).await;
    let status = agent.next().await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    Agent::connect(channel, "n1")
        .await
        .unwrap()
        .publish([1])
        .await;
    collector.stop().await;
}
