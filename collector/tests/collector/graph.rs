//! Who talks to whom, and where it burns.

use api::v1::{self, graph_client::GraphClient, publish_request::Item};

use crate::{
    engine::Engine,
    harness::{Collector, event, eventually},
};

const PODS: &str = "pods:\n\
    - {namespace: blue, name: app1, uid: u1, addresses: [10.244.147.92]}\n\
    - {namespace: red, name: app2, uid: u2, addresses: [10.244.147.93]}\n\
    - {namespace: green, name: alone, uid: u3, addresses: [10.244.147.94]}\n";

async fn graph(collector: &Collector, detail: v1::Detail, of: &[&str]) -> v1::GetGraphResponse {
    let mut client = GraphClient::new(collector.channel().await);
    let request = v1::GetGraphRequest {
        namespaces: of.iter().map(ToString::to_string).collect(),
        detail: detail.into(),
    };
    client.get(request).await.unwrap().into_inner()
}

fn ids(graph: &v1::GetGraphResponse) -> Vec<&str> {
    graph.vertices.iter().map(|it| it.id.as_str()).collect()
}

#[tokio::test]
async fn pods_edges_and_anomalies_are_one_graph_at_each_level() {
    let collector = Collector::with_pods(&Engine::Sqlite, PODS).await;
    let mut agent = collector.agent("n1").await;
    let edge = |address: &str, port| v1::Edge {
        address: address.into(),
        transport: v1::Transport::Tcp.into(),
        port,
        outbound: true,
        ..Default::default()
    };
    let status = v1::NodeStatus {
        edges: vec![v1::SlotEdges {
            namespace: "blue".into(),
            pod: "app1".into(),
            uid: "u1".into(),
            edges: vec![
                edge("10.244.147.93", 80),
                edge("10.244.147.93", 443),
                edge("1.1.1.1", 53),
            ],
            further: 0,
        }],
        pods: vec![v1::PodCoverage {
            uid: "u1".into(),
            state: v1::CoverageState::Covered.into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    agent.send(Item::Status(status)).await;
    agent.send_batch(vec![event("n1", 1)]).await;
    agent.acknowledged().await;
    let pods = eventually("the graph", async || {
        let graph = graph(&collector, v1::Detail::Pods, &[]).await;
        (graph.cursor == 1 && graph.links.len() == 2).then_some(graph)
    })
    .await;
    assert_eq!(
        ids(&pods),
        [
            "outside///1.1.1.1",
            "pod/blue//app1",
            "pod/green//alone",
            "pod/red//app2"
        ]
    );
    let scanner = &pods.vertices[1];
    assert_eq!((scanner.pods, scanner.covered_pods), (1, 1));
    let burning = scanner.source_of.as_ref().unwrap();
    assert_eq!((burning.open, burning.severity()), (1, v1::Severity::High));
    assert_eq!(burning.anomalies, [event("n1", 1).anomaly_id]);
    assert!(pods.vertices[3].target_of.is_some());
    let scan = &pods.links[1];
    assert_eq!(
        (&scan.source[..], &scan.destination[..]),
        ("pod/blue//app1", "pod/red//app2")
    );
    let ports: Vec<_> = scan.ports.iter().map(|it| it.port).collect();
    assert_eq!(ports, [80, 443]);
    assert!(scan.burning.is_some() && pods.links[0].burning.is_none());

    let namespaces = graph(&collector, v1::Detail::Unspecified, &[]).await;
    assert_eq!(
        ids(&namespaces),
        [
            "namespace/blue//blue",
            "namespace/green//green",
            "namespace/red//red",
            "outside///"
        ]
    );
    let red = graph(&collector, v1::Detail::Namespaces, &["red"]).await;
    assert_eq!(ids(&red), ["namespace/blue//blue", "namespace/red//red"]);
    assert_eq!(red.links.len(), 1);
    let none = graph(&collector, v1::Detail::Pods, &["nowhere"]).await;
    assert!(none.vertices.is_empty());
    collector.stop().await;
}
