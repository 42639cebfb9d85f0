//! Who may do what, over real TLS with the certificates that `picket certs` makes.

use std::{fs, time::Duration};

use api::{
    certificates::{Authority, LEAF_DAYS, Purpose},
    principal::Principal,
    transport::Remote,
    v1::events_client::EventsClient,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

use crate::{
    agent::Agent,
    closed::{Closed, node, server, subscriber},
    harness::{all, beginning, event, now, within},
    subscriber::Subscriber,
};

const FOREIGN: &str = "picket_collector_denied_requests_total{reason=\"foreign_node\"}";
const NOBODY: &str = "picket_collector_denied_requests_total{reason=\"nobody\"}";
const SUBSCRIBER: &str = "picket_collector_denied_requests_total{reason=\"subscriber\"}";
const OVERSIZED: &str = "picket_collector_ended_streams_total{reason=\"oversized\"}";
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

async fn refused_by_tls(remote: Remote, alert: &str) {
    let error = within("the refusal", remote.connect()).await.unwrap_err();
    let chain = anyhow::Error::from(error);
    assert!(format!("{chain:#}").contains(alert), "{chain:#}");
}

#[tokio::test]
async fn certificates_that_are_revoked_expired_or_of_another_authority_are_refused() {
    let collector = Closed::start().await;
    let other = tempfile::tempdir().unwrap();
    let other =
        Authority::create(other.path(), 10, now()).unwrap_or_else(|error| panic!("{error}"));
    assert!(other.certificate().exists());

    let foreign = collector.remote_of(collector.authority.certificate(), Some(node(&other, "n1")));
    refused_by_tls(foreign, "UnknownCA").await;
    let long_ago = now() - Duration::from_secs(100 * 86_400);
    let purpose = Purpose::Client(Principal::Node("n1"));
    let expired = collector
        .authority
        .issue(purpose, LEAF_DAYS, long_ago)
        .unwrap();
    refused_by_tls(collector.remote(Some(expired)), "CertificateExpired").await;
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
    refused_by_tls(remote, "CertificateRevoked").await;
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
    collector.counts(OVERSIZED).await;
    Agent::connect(channel, "n1")
        .await
        .unwrap()
        .publish([1])
        .await;
    collector.stop().await;
}
