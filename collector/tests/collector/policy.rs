//! How the detectors of all nodes are set, from a file to every agent.

use std::fs;

use api::{
    policy::revision,
    v1::{self, nodes_client::NodesClient},
};

use crate::{
    engine::Engine,
    harness::{Collector, eventually},
};

async fn told(collector: &Collector) -> Option<v1::PolicyStatus> {
    let mut client = NodesClient::new(collector.channel().await);
    let listed = client.list(v1::ListNodesRequest {}).await.unwrap();
    listed.into_inner().policy
}

#[tokio::test]
async fn a_wrong_file_is_refused_with_its_line_and_the_old_one_stays_with_every_agent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("detectors.yaml");
    let good = "detectors:\n  port_scan: {failed_ports_per_minute: 11}\n";
    fs::write(&path, good).unwrap();
    let collector = Collector::with_detectors(&Engine::Sqlite, &path).await;
    let mut agent = collector.agent("n1").await;
    let policy = agent.policy().await;
    assert_eq!(
        (policy.text.as_str(), policy.revision),
        (good, revision(good))
    );
    let metric = "picket_collector_config_last_reload_success";
    assert_eq!(collector.metric(metric).await, 1);

    for (wrong, expected) in [
        (
            "detectors: 1\n",
            "detectors.yaml:1: detectors takes keys with values",
        ),
        ("a: b\n", "detectors.yaml:1: a: there is no such key"),
        (
            "detectors:\n  port_scan:\n    ports_per_hour: 0\n",
            "detectors.yaml:3: detectors.port_scan.ports_per_hour = `0`: it takes",
        ),
        (
            "scopes:\n- {namespaces: [a]}\n- {labels: {b: c}}\n",
            "detectors.yaml:3: scopes[1]",
        ),
        (
            "exceptions:\n- name: a\n  owner: b\n  reason: c\n  until: 2020-01-01T00:00:00Z\n",
            "detectors.yaml:5: exceptions[0].until = `2020-01-01T00:00:00Z`: that is past",
        ),
    ] {
        fs::write(&path, wrong).unwrap();
        let status = eventually("the refusal", async || {
            let status = told(&collector).await?;
            status.error.contains(expected).then_some(status)
        })
        .await;
        assert_eq!(status.revision, revision(good));
        assert_eq!(collector.metric(metric).await, 0);
        let mut late = collector.agent("n2").await;
        assert_eq!(late.policy().await.text, good, "{wrong}");
    }

    let better = "silence: 1s\n";
    fs::write(&path, better).unwrap();
    assert_eq!(agent.policy().await.text, better, "and nothing before it");
    assert_eq!(collector.metric(metric).await, 1);
    assert_eq!(told(&collector).await.unwrap().error, "");
    collector.stop().await;
}

#[tokio::test]
async fn without_a_file_agents_are_told_that_their_own_holds() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let mut agent = collector.agent("n1").await;
    assert_eq!(agent.policy().await, v1::Policy::default());
    assert_eq!(told(&collector).await, None);
    collector.stop().await;
}
