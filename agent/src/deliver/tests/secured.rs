//! The agent's own gRPC beyond its machine, and who may ask it.

use std::time::SystemTime;

use api::{
    certificates::{Authority, Issued, LEAF_DAYS, Purpose},
    principal::Principal,
    transport::{Credentials, Listen, Remote, Tls, TlsFiles},
    v1::{self, events_client::EventsClient, nodes_client::NodesClient},
};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{super::*, soon};
use crate::access::{self, Access};

#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
fn issue(authority: &Authority, principal: Principal<'_>) -> Issued {
    let now = SystemTime::now();
    authority
        .issue(Purpose::Client(principal), LEAF_DAYS, now)
        .unwrap()
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
async fn only_subscribers_see_a_node_from_beyond_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path(), 10, SystemTime::now()).unwrap();
    let node = issue(&authority, Principal::Node("localhost"));
    let tls = Tls::load(TlsFiles {
        certificate: node.certificate.clone(),
        key: node.key.clone(),
        client_ca: Some(authority.certificate()),
        crl: None,
    });
    let metrics = access::Metrics::register(&mut Registry::default());
    let access = Access::new(Some(tls.unwrap()), metrics);
    let listen: [Listen; 2] = ["0.0.0.0:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()];
    let outbox = Outbox::standalone(Metrics::default());
    let (_status, reported) = watch::channel(v1::NodeStatus::default());
    let server = Server::bind(&listen, "localhost", &outbox, reported, access);
    let server = server.await.unwrap();
    let ports: Vec<_> = server.local().iter().map(ToString::to_string).collect();
    tokio::spawn(server.run());
    let port = ports[0].rsplit(':').next().unwrap();
    let remote = |own: Option<Issued>| {
        let remote: Remote = format!("https://localhost:{port}").parse().unwrap();
        let credentials = Credentials {
            ca: Some(authority.certificate()),
            certificate: own.map(|it| (it.certificate, it.key)),
            ..Credentials::default()
        };
        remote.with(credentials).unwrap()
    };

    let ops = issue(&authority, Principal::Subscriber("ops"));
    for (own, expected) in [
        (Some(ops), None),
        (Some(node), Some(Code::PermissionDenied)),
        (None, Some(Code::Unauthenticated)),
    ] {
        let channel = soon(remote(own).connect()).await.unwrap();
        let mut nodes = NodesClient::new(channel.clone());
        let listed = nodes.list(v1::ListNodesRequest {});
        let refused = soon(listed).await.err();
        assert_eq!(refused.map(|it| it.code()), expected);
        let subscribed = EventsClient::new(channel.clone())
            .subscribe(v1::SubscribeRequest::default())
            .await;
        assert_eq!(subscribed.err().map(|it| it.code()), expected);
        let check = HealthCheckRequest::default();
        soon(HealthClient::new(channel).check(check)).await.unwrap();
    }

    // Who is on the node is not asked.
    let local: Remote = format!("http://{}", ports[1]).parse().unwrap();
    let channel = soon(local.connect()).await.unwrap();
    NodesClient::new(channel)
        .list(v1::ListNodesRequest {})
        .await
        .unwrap();
}
