//! What an API server is told of short pods: late, of some too little, and of others not even that they ended.

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::{Pod, api_server::ApiServer, lock, now};

/// How late a stage of a pod's life is told, at most, in milliseconds.
const LATE: u64 = 1000;

/// Of a pod's life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// There is no interface yet.
    TakenOn,
    Started,
    /// There is still an interface.
    Ended,
}

pub(crate) struct Kubelet {
    runtime: Runtime,
    server: Arc<ApiServer>,
    node: String,
    /// When what was told last of a pod becomes known, and that.
    told: Mutex<HashMap<u32, (SystemTime, Value)>>,
    kubeconfig: PathBuf,
    _directory: TempDir,
}

impl Kubelet {
    /// That of a node with one pod, which lives on.
    pub(crate) fn start(node: &str, sink: IpAddr) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let server = runtime.block_on(ApiServer::start());
        server.put(
            "nodes",
            node,
            json!({"metadata": {"name": node, "uid": node}}),
        );
        let mut pod = taken_on("sink", node, "1970-01-01T00:00:00Z");
        pod["status"]["podIP"] = json!(sink.to_string());
        server.put("pods", "default/sink", pod);
        let directory = tempfile::tempdir()?;
        let kubeconfig = directory.path().join("kubeconfig");
        server.kubeconfig(&kubeconfig);
        Ok(Self {
            runtime,
            server: Arc::new(server),
            node: node.to_owned(),
            told: Mutex::default(),
            kubeconfig,
            _directory: directory,
        })
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The pod has come to this stage now; the API server hears of it some time after.
    pub(crate) fn tell(&self, pod: &Pod, stage: Stage) {
        let is_told = match (stage, pod.number % 10) {
            // Removed before it was told with its address.
            (Stage::Started | Stage::Ended, 0) | (Stage::Ended, 1) => false,
            _ => true,
        };
        let now = now();
        let mut told = lock(&self.told);
        let before = told.remove(&pod.number);
        let (earliest, mut object) = before.unwrap_or_else(|| {
            let pod = taken_on(&pod.interface, &self.node, &seconds(now));
            (now, pod)
        });
        let state = match stage {
            Stage::TakenOn => json!({"waiting": {"reason": "ContainerCreating"}}),
            Stage::Started => json!({"running": {"startedAt": seconds(now)}}),
            Stage::Ended => json!({"terminated": {"exitCode": 0, "finishedAt": seconds(now),
                "startedAt": object["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]}}),
        };
        if is_told {
            object["status"]["containerStatuses"][0]["state"] = state;
            if stage != Stage::TakenOn {
                object["status"]["podIP"] = json!(pod.address.to_string());
                object["status"]["phase"] = json!("Running");
            }
            if stage == Stage::Ended {
                object["status"]["phase"] = json!("Succeeded");
            }
        }
        let at = earliest.max(now + late()) + Duration::from_millis(1);
        told.insert(pod.number, (at, object.clone()));
        drop(told);
        let removed = (stage == Stage::Ended).then(|| at + late());
        let name = format!("default/{}", pod.interface);
        let server = Arc::clone(&self.server);
        self.runtime.spawn(async move {
            until(at).await;
            if is_told {
                server.put("pods", &name, object);
            }
            if let Some(removed) = removed {
                until(removed).await;
                server.remove("pods", &name);
            }
        });
    }
}

fn late() -> Duration {
    Duration::from_millis(fastrand::u64(0..=LATE))
}

async fn until(moment: SystemTime) {
    let left = moment.duration_since(now()).unwrap_or_default();
    tokio::time::sleep(left).await;
}

/// As Kubernetes tells times.
fn seconds(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(at).to_string()
}

fn taken_on(name: &str, node: &str, at: &str) -> Value {
    json!({
        "metadata": {"namespace": "default", "name": name, "uid": format!("uid-{name}")},
        "spec": {"nodeName": node, "containers": [{"name": "main"}]},
        "status": {"phase": "Pending", "startTime": at, "containerStatuses": [
            {"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {}}]},
    })
}
