//! Names from the API server, whatever becomes of it.

use api::v1::{self, publish_response::Item};
use collector::config::Cluster;
use serde_json::{Value, json};

use crate::{
    agent::Agent,
    api_server::ApiServer,
    engine::Engine,
    harness::{Collector, event, eventually},
    nodes::nodes,
};

fn node(name: &str, address: &str) -> Value {
    json!({"metadata": {"name": name, "uid": name},
        "status": {"addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]}})
}

fn pod(name: &str, node: &str, address: &str) -> Value {
    json!({
        "metadata": {"namespace": "default", "name": name, "uid": format!("uid-{name}"), "labels": {"app": name},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "rs", "controller": true}]},
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": "Running", "podIP": address, "startTime": "2023-11-14T22:00:00Z"},
    })
}

fn slice(namespace: &str, service: &str, address: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": format!("{service}-1"),
            "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4", "endpoints": [{"addresses": [address]}],
        "ports": [{"name": "", "port": 443, "protocol": "TCP"}]})
}

async fn with_nodes() -> ApiServer {
    let server = ApiServer::start().await;
    server.put("nodes", "n1", node("n1", "192.0.2.1"));
    server.put("nodes", "n2", node("n2", "192.0.2.2"));
    let maker = json!({"metadata": {"namespace": "default", "name": "web-1", "uid": "rs",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d", "controller": true}]}});
    server.put("replicasets", "default/web-1", maker);
    server
}

async fn watching(server: &ApiServer) -> Collector {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    server.kubeconfig(&path);
    let collector = Collector::watching(&Engine::Sqlite, Cluster::Kubeconfig(path)).await;
    drop(folder);
    collector
}

/// Pods of all that comes until there is one that fits.
async fn told(agent: &mut Agent, fits: impl Fn(&v1::Pod) -> bool) -> v1::Pod {
    loop {
        let pods = match agent.next().await.unwrap() {
            Item::Pods(table) => table.pods,
            Item::PodChanges(changes) => changes.pods,
            other => panic!("{other:?} tells of no pods"),
        };
        if let Some(pod) = pods.into_iter().find(&fits) {
            return pod;
        }
    }
}

fn names(table: &v1::PodTable) -> Vec<&str> {
    table.pods.iter().map(|pod| pod.name.as_str()).collect()
}

async fn synchronized(collector: &Collector, resource: &str) {
    let name = format!("picket_collector_watch_synchronized{{resource=\"{resource}\"}}");
    eventually("the watch", async || {
        (collector.metric(&name).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_agent_is_told_its_own_pods_and_what_becomes_of_them() {
    let server = with_nodes().await;
    server.put("pods", "default/a", pod("a", "n1", "10.0.0.1"));
    server.put("pods", "default/b", pod("b", "n2", "10.0.0.2"));
    let collector = watching(&server).await;
    let mut agent = collector.agent("n1").await;
    assert_eq!(names(&agent.pods), ["a"]);
    let owner = agent.pods.pods[0].owner.clone().unwrap();
    assert_eq!(
        (owner.kind.as_str(), owner.name.as_str()),
        ("Deployment", "web")
    );

    server.put("pods", "default/c", pod("c", "n1", "10.0.0.3"));
    let new = told(&mut agent, |pod| pod.name == "c").await;
    assert_eq!(new.addresses, ["10.0.0.3"]);
    server.remove("pods", "default/a");
    let gone = told(&mut agent, |pod| pod.ended_at.is_some()).await;
    assert_eq!(gone.name, "a", "it is remembered, as one that has ended");
}

#[tokio::test]
async fn endpoint_slices_are_read_in_the_version_that_there_is() {
    let server = with_nodes().await;
    server.put(
        "endpointslices",
        "blue/a-1",
        slice("blue", "a", "203.0.113.1"),
    );
    let mut collector = None;
    for (served, next) in [(Some("v1beta1"), "b"), (Some("v1"), "c")] {
        server.serve_slices(served);
        let collector = match &collector {
            Some(collector) => collector,
            None => collector.insert(watching(&server).await),
        };
        synchronized(collector, "endpointslices").await;
        server.put(
            "endpointslices",
            &format!("blue/{next}-1"),
            slice("blue", next, "203.0.113.2"),
        );
        // It may be told of Services before it is of pods.
        let mut agent = collector.agent_untold("n1").await;
        told_service(&mut agent, next).await;
    }
    let collector = collector.unwrap();
    let failures = "picket_collector_watch_failures_total{resource=\"endpointslices\"}";
    let known = collector.metric(failures).await;
    server.serve_slices(None);
    eventually("that there are none", async || {
        (collector.metric(failures).await > known).then_some(())
    })
    .await;
    collector.agent("n2").await;
}

/// Waits until the agent is told of the Service.
async fn told_service(agent: &mut Agent, name: &str) {
    loop {
        let services = match agent.any().await.unwrap() {
            Item::Services(table) => table.services,
            Item::ServiceChanges(changes) => changes.services,
            _ => continue,
        };
        if services.iter().any(|it| it.name == name) {
            return;
        }
    }
}

#[tokio::test]
async fn a_source_that_cannot_be_told_is_neither_a_node_nor_a_service() {
    let server = with_nodes().await;
    server.put(
        "endpointslices",
        "blue/db-1",
        slice("blue", "db", "203.0.113.2"),
    );
    let collector = watching(&server).await;
    synchronized(&collector, "endpointslices").await;
    synchronized(&collector, "nodes").await;
    let mut agent = collector.agent("n1").await;
    let mut events = Vec::new();
    for (sequence, address, interface, unknown) in [
        (1, "192.0.2.2", "cali1", "several pods had it"),
        (2, "203.0.113.2", "", "several pods had it"),
        (3, "203.0.113.2", "cali1", ""),
    ] {
        let mut told = event("n1", sequence);
        told.source = Some(v1::Endpoint {
            address: address.into(),
            interface: interface.into(),
            unknown: unknown.into(),
            ..Default::default()
        });
        events.push(told);
    }
    agent.send_batch(events).await;
    agent.acknowledged().await;
    for stored in collector.log().await {
        let source = stored.source.unwrap();
        let named = [
            &source.namespace,
            &source.pod,
            &source.service,
            &source.node,
        ];
        assert_eq!(named, ["", "", "", ""], "{source:?}");
    }
    let unnamed = collector
        .metric("picket_collector_unnamed_events_total")
        .await;
    assert_eq!(unnamed, 2, "who has no interface is no pod");
}

#[tokio::test]
async fn a_node_that_is_deleted_is_listed_no_more_once_its_agent_has_left() {
    let server = with_nodes().await;
    let collector = watching(&server).await;
    let agent = collector.agent("n1").await;
    let _stays = collector.agent("n2").await;
    server.remove("nodes", "n1");
    drop(agent);
    let channel = collector.channel().await;
    eventually("that it is gone", async || {
        let listed = nodes(channel.clone()).await;
        let names: Vec<_> = listed.iter().map(|it| it.name.as_str()).collect();
        (names == ["n2"]).then_some(())
    })
    .await;
}

/// An agent must not bind an interface before it knows of every pod that may have had it.
#[tokio::test]
async fn a_table_in_parts_says_that_there_is_more() {
    let server = with_nodes().await;
    for index in 0..2000_u32 {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + index).to_string();
        let mut large = pod(&format!("p{index}"), "n1", &address);
        large["metadata"]["labels"]["long"] = json!("l".repeat(1000));
        server.put("pods", &format!("default/p{index}"), large);
    }
    let collector = watching(&server).await;
    let mut agent = collector.agent("n1").await;
    let (mut told, mut more, mut parts) = (agent.pods.pods.len(), agent.pods.more, 1);
    while more {
        let Item::PodChanges(changes) = agent.next().await.unwrap() else {
            panic!("the rest does not follow at once");
        };
        told += changes.pods.len();
        more = changes.more;
        parts += 1;
    }
    assert_eq!(told, 2000);
    assert!(parts > 1, "{parts}");
}

#[tokio::test]
async fn what_was_missed_is_found_again_after_410_and_cut_watches() {
    let server = with_nodes().await;
    server.put("pods", "default/a", pod("a", "n1", "10.0.0.1"));
    let collector = watching(&server).await;
    let mut agent = collector.agent("n1").await;
    server.cut();
    server.put("pods", "default/b", pod("b", "n1", "10.0.0.2"));
    told(&mut agent, |pod| pod.name == "b").await;

    for (name, by_status) in [("a", false), ("b", true)] {
        let lists = server.lists();
        server.forget("pods", &format!("default/{name}"));
        server.compact(by_status);
        let gone = told(&mut agent, |pod| pod.ended_at.is_some()).await;
        assert_eq!(gone.name, name);
        assert!(server.lists() > lists, "410 Gone makes a new list");
    }
}

#[tokio::test]
async fn without_the_api_server_events_are_taken_and_known_names_stay() {
    let mut server = with_nodes().await;
    server.put("pods", "default/a", pod("a", "n1", "10.244.147.92"));
    let collector = watching(&server).await;
    let mut agent = collector.agent("n1").await;
    server.go_away();
    let failures = "picket_collector_watch_failures_total{resource=\"pods\"}";
    eventually("a failure", async || {
        (collector.metric(failures).await > 0).then_some(())
    })
    .await;
    agent.publish([1]).await;
    let known = collector.log().await.pop().unwrap();
    assert_eq!(known.source.unwrap().pod, "a");

    server.forget("pods", "default/a");
    server.put("pods", "default/b", pod("b", "n1", "10.244.147.92"));
    server.come_back().await;
    let new = told(&mut agent, |pod| pod.name == "b").await;
    assert_eq!(new.uid, "uid-b");
}

#[tokio::test]
async fn a_collector_that_never_reached_the_api_server_takes_events_and_tells_no_empty_table() {
    let mut server = with_nodes().await;
    server.put("pods", "default/a", pod("a", "n1", "10.244.147.92"));
    server.go_away();
    let collector = watching(&server).await;
    let mut agent = collector.agent_untold("n1").await;
    agent.publish([1]).await;
    let unnamed = collector.log().await.pop().unwrap();
    assert_eq!(unnamed.source.unwrap().pod, "");

    server.come_back().await;
    told(&mut agent, |pod| pod.name == "a").await;
}

#[tokio::test]
async fn a_node_that_the_cluster_does_not_have_is_refused() {
    let server = with_nodes().await;
    let collector = watching(&server).await;
    synchronized(&collector, "nodes").await;
    let error = Agent::connect(collector.channel().await, "stranger").await;
    let error = error.err().expect("it is refused");
    assert!(error.message().contains("`stranger`"), "{error}");
}

#[tokio::test]
async fn addresses_are_named_by_pod_service_and_node_as_they_were_then() {
    let server = with_nodes().await;
    let mut former = pod("former", "n2", "10.244.147.93");
    former["status"]["phase"] = json!("Failed");
    former["status"]["startTime"] = json!("2023-11-14T20:00:00Z");
    former["status"]["containerStatuses"] = json!([{"name": "a", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 1, "finishedAt": "2023-11-14T21:00:00Z"}}}]);
    server.put("pods", "default/former", former);
    server.put("pods", "default/b", pod("b", "n2", "10.244.147.93"));
    server.put(
        "services",
        "blue/web",
        json!({"metadata": {"namespace": "blue", "name": "web"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80}]}}),
    );
    // As of every real cluster: what is behind it are nodes, and it does not say so.
    server.put(
        "endpointslices",
        "default/kubernetes",
        slice("default", "kubernetes", "192.0.2.2"),
    );
    server.put(
        "endpointslices",
        "blue/db-1",
        slice("blue", "db", "203.0.113.2"),
    );
    let collector = watching(&server).await;
    let mut agent = collector.agent("n1").await;
    let mut told = event("n1", 1);
    for address in ["10.96.0.7", "192.0.2.2", "203.0.113.1", "203.0.113.2"] {
        let endpoint = v1::Endpoint {
            address: address.into(),
            ..Default::default()
        };
        told.targets.push(v1::Target {
            endpoint: Some(endpoint),
            ..Default::default()
        });
    }
    agent.send_batch(vec![told]).await;
    agent.acknowledged().await;
    let stored = collector.log().await.pop().unwrap();
    let named: Vec<_> = stored
        .targets
        .iter()
        .filter_map(|it| it.endpoint.as_ref())
        .map(|it| [&it.pod, &it.service, &it.node].map(String::as_str))
        .collect();
    assert_eq!(
        named,
        [
            ["b", "", "n2"],
            ["", "web", ""],
            ["", "", "n2"],
            ["", "", ""],
            ["", "db", ""]
        ]
    );
    let first = stored.targets[0].endpoint.as_ref().unwrap();
    assert_eq!(first.owner.as_ref().unwrap().name, "web");
}
