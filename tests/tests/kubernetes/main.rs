//! The story on a real Kubernetes of two nodes: installed as its users do, a pod that scans is told of, and contained.

mod containment;
mod install;
mod operator;
mod pods;
mod policy;
mod rights;
mod subscriber;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Cluster, without_root};

use self::{
    install::{AGENTS, COLLECTOR, Install, PICKET},
    subscriber::Subscriber,
};

/// What takes longest, on a machine that has much to do: a rollout.
const LIMIT: Duration = Duration::from_secs(90);
const REFUSED: &str = "it does not say on which node its pod is";

#[test]
fn on_a_cluster_scans_are_told_of_with_names_and_contained_when_asked_for() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let cluster = Cluster::up(2, LIMIT)?;
    let install = Install::prepare(&cluster)?;
    let story = pods::start(&cluster)?;

    // Kubernetes 1.20 knows the agents' tokens for what they are, but not their nodes.
    install.with_tokens()?;
    cluster.wait_for_rollout(PICKET, COLLECTOR, LIMIT)?;
    install.wait_until_an_agent_says(REFUSED)?;
    install.with_certificates()?;
    cluster.wait_for_rollout(AGENTS, install::AGENT, LIMIT)?;
    install.wait_until_watched(&story)?;

    let mut subscriber = Subscriber::start(&cluster)?;
    for target in &story.app2 {
        let scan = ["nmap", "-n", "-Pn", &target.address];
        let scanned = cluster.exec(&story.app1.namespace, &story.app1.name, &scan, LIMIT)?;
        scanned.success()?;
        let event = subscriber
            .event(|event| tells_of(event, &story.app1, target))
            .with_context(|| format!("no event tells of {target:?}"))?;
        ensure!(event["detector"] == "port_scan", "{event}");
    }
    rights::check(&cluster)?;
    install.test()?;
    for command in ["selftest", "doctor"] {
        let told = cluster.exec(PICKET, COLLECTOR, &["/picket", command], LIMIT)?;
        println!("{}", told.success()?.stdout);
    }
    policy::check(&cluster, &install, &story)?;
    containment::check(&cluster, &install, &story, &mut subscriber)
}

fn tells_of(event: &Value, source: &pods::Pod, target: &pods::Pod) -> bool {
    let targets = event["targets"].as_array().into_iter().flatten();
    is_pod(&event["source"], source)
        && targets
            .map(|it| &it["endpoint"])
            .any(|it| is_pod(it, target))
}

fn is_pod(endpoint: &Value, pod: &pods::Pod) -> bool {
    let owner = &endpoint["owner"];
    endpoint["namespace"] == *pod.namespace
        && endpoint["pod"] == *pod.name
        && endpoint["uid"] == *pod.uid
        && endpoint["node"] == *pod.node
        && owner["kind"] == "Deployment"
        && owner["name"] == *pod.owner
}
