//! What a subscriber sees of the events, over real TLS.

use std::fs;

use api::v1::{
    self, GetRequest, ListNodesRequest, ListRequest, events_client::EventsClient,
    nodes_client::NodesClient,
};
use tonic::{Code, Status, metadata::MetadataValue};

use crate::{
    closed::{Closed, TOKEN, subscriber},
    harness::{event, sequence, within},
};

const WRONG_TOKEN: &str = "picket_collector_denied_requests_total{reason=\"token\"}";
const OUTSIDE: &str = "picket_collector_denied_requests_total{reason=\"scope\"}";

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
    let mut agent = collector.agent("n1", "n1").await.unwrap();
    let mut red = event("n1", 2);
    red.source.get_or_insert_default().address = "10.244.147.95".into();
    // Of an unknown source, and so of its target.
    let mut nobodys = event("n1", 3);
    nobodys.source = Some(v1::Endpoint::default());
    nobodys.targets[0].endpoint.get_or_insert_default().address = "10.244.147.92".into();
    agent.send_batch(vec![event("n1", 1), red, nobodys]).await;
    agent.acknowledged().await;

    let seen = with_token(&collector, TOKEN).await.unwrap();
    let seen: Vec<_> = seen.events.iter().map(sequence).collect();
    assert_eq!(seen, [1, 3]);
    assert_eq!(
        list(&collector, TOKEN, &["red", "blue"])
            .await
            .unwrap()
            .events
            .len(),
        2
    );
    let outside = list(&collector, TOKEN, &["red"]).await.unwrap_err();
    assert_eq!(outside.code(), Code::PermissionDenied, "{outside}");
    let wrong = with_token(&collector, "a-token-of-nobody-here")
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Code::Unauthenticated, "{wrong}");
    collector.counts(OUTSIDE).await;
    collector.counts(WRONG_TOKEN).await;

    let bearer: MetadataValue<_> = format!("Bearer {TOKEN}").parse().unwrap();
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
    with_token(&collector, TOKEN).await.unwrap();
    collector.stop().await;
}
