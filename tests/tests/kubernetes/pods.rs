//! The pods of the story: `app1` on one node, and an `app2` on each; and one that is contained.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::Cluster;

const LIMIT: Duration = Duration::from_secs(60);
const MANIFESTS: &str = include_str!("pods.yaml");
const SCANNER: &str = include_str!("scanner.yaml");

/// A pod, as the API server knows it.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) node: String,
    pub(crate) address: String,
    /// The name of its Deployment.
    pub(crate) owner: String,
}

#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) app1: Pod,
    /// The one on the node of `app1` first.
    pub(crate) app2: Vec<Pod>,
}

pub(crate) fn start(cluster: &Cluster) -> Result<Story> {
    cluster.apply(MANIFESTS)?;
    for (namespace, deployment) in [("default", "deployment/app1"), ("blue", "deployment/app2")] {
        cluster.wait_for_rollout(namespace, deployment, LIMIT)?;
    }
    let mut app1 = of(cluster, "default")?;
    let app1 = app1.pop().context("there is no app1")?;
    let mut app2 = of(cluster, "blue")?;
    app2.sort_by_key(|pod| pod.node != app1.node);
    let nodes: Vec<_> = app2.iter().map(|pod| pod.node == app1.node).collect();
    ensure!(nodes == [true, false], "app2 is not on each node: {app2:?}");
    Ok(Story { app1, app2 })
}

/// One that nothing is known of yet.
pub(crate) fn scanner(cluster: &Cluster) -> Result<Pod> {
    cluster.apply(SCANNER)?;
    cluster.wait_for_rollout("red", "deployment/scanner", LIMIT)?;
    of(cluster, "red")?.pop().context("there is no scanner")
}

fn of(cluster: &Cluster, namespace: &str) -> Result<Vec<Pod>> {
    let listed = cluster.objects(&["--namespace", namespace, "get", "pods"])?;
    let pods = listed["items"].as_array().context("no list of pods")?;
    let text = |pod: &Value, pointer: &str| {
        let text = pod.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned)
            .with_context(|| format!("a pod has no {pointer}"))
    };
    let pods = pods.iter().map(|pod| {
        Ok(Pod {
            namespace: namespace.into(),
            name: text(pod, "/metadata/name")?,
            uid: text(pod, "/metadata/uid")?,
            node: text(pod, "/spec/nodeName")?,
            address: text(pod, "/status/podIP")?,
            owner: text(pod, "/metadata/labels/app")?,
        })
    });
    pods.collect()
}
