//! Which nodes there are, and how the collector itself is.

use api::v1::{self, nodes_client::NodesClient, publish_request::Item};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    engine::{Engine, on_each_engine},
    harness::{Collector, eventually, gap},
};

on_each_engine! {
    a_node_is_listed_with_its_own_account_also_when_it_is_gone,
    a_second_hello_of_a_node_ends_the_first_stream,
    what_happened_is_counted,
    a_collector_that_serves_is_alive_ready_and_healthy,
    the_services_describe_themselves_in_both_versions_of_reflection,
}

pub(crate) async fn nodes(channel: Channel) -> Vec<v1::Node> {
    let response = NodesClient::new(channel)
        .list(v1::ListNodesRequest {})
        .await;
    response.unwrap().into_inner().nodes
}

async fn a_node_is_listed_with_its_own_account_also_when_it_is_gone(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let channel = collector.channel().await;
    assert_eq!(nodes(channel.clone()).await, []);

    let agent = collector.agent("n1").await;
    let status = v1::NodeStatus {
        attachment: "tcx".into(),
        events_pending: 3,
        ..Default::default()
    };
    agent.send(Item::Status(status.clone())).await;
    let node = eventually("the status", async || {
        let nodes = nodes(channel.clone()).await;
        nodes.into_iter().find(|node| node.status.is_some())
    })
    .await;
    assert_eq!(
        (node.name.as_str(), node.agent_version.as_str()),
        ("n1", "0.1.0")
    );
    assert_eq!(node.status, Some(status));
    assert!(node.connected && node.last_seen.is_some());

    drop(agent);
    eventually("the end of the stream", async || {
        let nodes = nodes(channel.clone()).await;
        nodes.iter().all(|node| !node.connected).then_some(())
    })
    .await;
    collector.stop().await;
}

async fn a_second_hello_of_a_node_ends_the_first_stream(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut older = collector.agent("n1").await;
    let mut newer = collector.agent("n1").await;
    let status = older.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert!(status.message().contains("`n1`"), "{status}");
    newer.publish([1]).await;
    assert!(nodes(collector.channel().await).await[0].connected);
    collector.stop().await;
}

async fn what_happened_is_counted(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    agent.publish([1, 2]).await;
    agent.publish([2]).await;
    let lost = v1::Batch {
        gaps: vec![gap("n1", 3, 7)],
        ..Default::default()
    };
    agent.send(Item::Batch(lost)).await;
    agent.acknowledged().await;

    let page = collector.page("/metrics").await;
    for line in [
        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8",
        "picket_collector_received_events_total 4",
        "picket_collector_stored_events_total 2",
        "picket_collector_duplicate_events_total 1",
        "picket_collector_lost_events_total 5",
        "picket_collector_unnamed_events_total 0",
        "picket_collector_connected_nodes 1",
        "picket_collector_last_cursor 3",
        "picket_collector_refused_streams_total{reason=\"unknown_node\"} 0",
        "# EOF",
    ] {
        assert!(page.lines().any(|it| it == line), "{line} is not in {page}");
    }
    collector.stop().await;
}

async fn a_collector_that_serves_is_alive_ready_and_healthy(engine: Engine) {
    let collector = Collector::start(&engine).await;
    eventually("readiness", async || {
        let page = collector.page("/readyz").await;
        page.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
    assert!(collector.page("/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(collector.page("/other").await.starts_with("HTTP/1.1 404"));
    let mut health = HealthClient::new(collector.channel().await);
    for service in [
        "",
        "picket.v1.Ingest",
        "picket.v1.Events",
        "picket.v1.Nodes",
    ] {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let response = health.check(request).await.unwrap().into_inner();
        assert_eq!(response.status(), ServingStatus::Serving, "{service}");
    }
    collector.stop().await;
}

async fn the_services_describe_themselves_in_both_versions_of_reflection(engine: Engine) {
    use tonic_reflection::pb::{v1, v1alpha};

    let collector = Collector::start(&engine).await;
    let expected = ["picket.v1.Events", "picket.v1.Ingest", "picket.v1.Nodes"];

    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let channel = collector.channel().await;
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel);
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
        answer.message_response
    else {
        panic!("no list of services");
    };
    let names: Vec<_> = list.service.iter().map(|it| it.name.as_str()).collect();
    assert!(
        expected.iter().all(|name| names.contains(name)),
        "{names:?}"
    );

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                expected[0].into(),
            ),
        ),
    };
    let channel = collector.channel().await;
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    assert!(matches!(
        answer.message_response,
        Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
    ));
    collector.stop().await;
}
