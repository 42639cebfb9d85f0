//! What the API server tells of pods, as Picket needs it.

use std::time::SystemTime;

use api::v1;
use k8s_openapi::{
    api::core::v1::{ContainerState, Pod, PodStatus},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time},
};

use super::declared;

/// Who made an object, as far as it says so itself.
pub(super) struct Maker {
    pub(super) owner: v1::Owner,
    /// Of the owner.
    pub(super) uid: String,
}

/// None until it has a node, for before it has no network either.
pub(super) fn pod(pod: &Pod) -> Option<v1::Pod> {
    let spec = pod.spec.as_ref()?;
    let node = spec.node_name.clone().filter(|node| !node.is_empty())?;
    let meta = &pod.metadata;
    let status = pod.status.clone().unwrap_or_default();
    Some(v1::Pod {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone()?,
        node,
        addresses: addresses(&status),
        labels: meta.labels.clone().unwrap_or_default(),
        owner: maker(meta).map(|maker| maker.owner),
        service_account: spec.service_account_name.clone().unwrap_or_default(),
        host_network: spec.host_network.unwrap_or_default(),
        started_at: status.start_time.as_ref().map(timestamp),
        running_at: running_at(&status),
        ended_at: ended_at(&status),
        ports: declared::by_containers(spec),
        ended_before: false,
    })
}

/// The one that controls it; others may merely hold on to it.
pub(super) fn maker(meta: &ObjectMeta) -> Option<Maker> {
    let mut owners = meta.owner_references.iter().flatten();
    let owner: &OwnerReference = owners.find(|owner| owner.controller == Some(true))?;
    Some(Maker {
        owner: v1::Owner {
            kind: owner.kind.clone(),
            name: owner.name.clone(),
        },
        uid: owner.uid.clone(),
    })
}

/// The pod as it is once it was deleted. Its containers may tell until when it ran.
pub(super) fn deleted(object: &Pod, now: SystemTime) -> Option<v1::Pod> {
    let mut pod = pod(object)?;
    let status = object.status.as_ref();
    pod.ended_at = pod.ended_at.or_else(|| all_ended_at(status?));
    Some(gone(pod, now))
}

/// The pod as it is once it is not there any more: when it ended is what was told, else until now.
pub(super) fn gone(mut pod: v1::Pod, now: SystemTime) -> v1::Pod {
    if pod.ended_at.is_none() {
        pod.ended_at = Some(now.into());
        pod.ended_before = true;
    }
    pod
}

fn addresses(status: &PodStatus) -> Vec<String> {
    let mut addresses: Vec<_> = status
        .pod_ips
        .iter()
        .flatten()
        .map(|it| it.ip.clone())
        .collect();
    if addresses.is_empty() {
        addresses.extend(status.pod_ip.clone().filter(|it| !it.is_empty()));
    }
    addresses
}

/// When the first of those containers started that are there now: with a new sandbox all start anew.
fn running_at(status: &PodStatus) -> Option<v1::Timestamp> {
    let started = states(status).filter_map(|state| {
        let running = state.running.as_ref().and_then(|it| it.started_at.as_ref());
        let terminated = state.terminated.as_ref();
        running.or_else(|| terminated.and_then(|it| it.started_at.as_ref()))
    });
    started.min().map(timestamp)
}

/// When the last container ended, of a pod that starts none any more.
fn ended_at(status: &PodStatus) -> Option<v1::Timestamp> {
    if !matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let finished =
        states(status).filter_map(|state| state.terminated.as_ref()?.finished_at.as_ref());
    let ended = finished.max().or(status.start_time.as_ref());
    ended.map(timestamp)
}

/// When the last container ended, if they all have.
fn all_ended_at(status: &PodStatus) -> Option<v1::Timestamp> {
    let finished = states(status).map(|state| state.terminated.as_ref()?.finished_at.as_ref());
    let finished = finished.collect::<Option<Vec<_>>>()?;
    finished.into_iter().max().map(timestamp)
}

fn states(status: &PodStatus) -> impl Iterator<Item = &ContainerState> {
    let containers = status.container_statuses.iter().flatten();
    containers.filter_map(|container| container.state.as_ref())
}

fn timestamp(time: &Time) -> v1::Timestamp {
    SystemTime::from(time.0).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(json: serde_json::Value) -> Option<v1::Pod> {
        pod(&serde_json::from_value(json).unwrap())
    }

    #[test]
    fn a_pod_is_told_with_its_owner_and_its_times() {
        let told = of(serde_json::json!({
            "metadata": {"namespace": "blue", "name": "web-1-x", "uid": "u1", "labels": {"app": "web"},
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Other", "name": "o", "uid": "u0"},
                    {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "u2", "controller": true}]},
            "spec": {"nodeName": "n1", "serviceAccountName": "web", "containers": [
                {"name": "a", "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]},
                {"name": "b", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]},
            "status": {"phase": "Succeeded", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
                "startTime": "2026-01-01T00:00:00Z",
                "containerStatuses": [
                    {"name": "a", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                     "state": {"terminated": {"exitCode": 0, "startedAt": "2026-01-01T00:00:02Z", "finishedAt": "2026-01-01T00:00:05Z"}}},
                    {"name": "b", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                     "state": {"terminated": {"exitCode": 0, "startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:09Z"}}}]},
        }))
        .unwrap();
        assert_eq!((told.node.as_str(), told.uid.as_str()), ("n1", "u1"));
        assert_eq!(told.addresses, ["10.0.0.1", "fd00::1"]);
        assert_eq!(told.owner.unwrap().name, "web-1");
        assert_eq!(told.service_account, "web");
        let ports = told.ports.iter().map(|it| (it.transport(), it.port));
        let ports: Vec<_> = ports.collect();
        assert_eq!(ports, [(v1::Transport::Tcp, 80), (v1::Transport::Udp, 53)]);
        let since = |stamp: Option<v1::Timestamp>| stamp.unwrap().seconds - 1_767_225_600;
        assert_eq!(
            [told.started_at, told.running_at, told.ended_at].map(since),
            [0, 1, 9]
        );
    }

    #[test]
    fn a_pod_without_a_node_is_none_yet_and_one_that_may_go_on_has_not_ended() {
        let pending =
            serde_json::json!({"metadata": {"name": "a", "uid": "u"}, "spec": {"containers": []}});
        assert!(of(pending).is_none());
        let mut running = serde_json::json!({
            "metadata": {"name": "a", "uid": "u"}, "spec": {"nodeName": "n", "containers": [], "hostNetwork": true},
            "status": {"phase": "Running", "podIP": "10.0.0.1",
                "containerStatuses": [{"name": "a", "image": "", "imageID": "", "ready": false, "restartCount": 3,
                    "state": {"terminated": {"exitCode": 1, "finishedAt": "1970-01-01T00:00:05Z"}}}]},
        });
        let told = of(running.clone()).unwrap();
        assert!(told.host_network);
        assert_eq!(told.ended_at, None);

        let deleted = |pod: &serde_json::Value| {
            let pod = serde_json::from_value(pod.clone()).unwrap();
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(9);
            let gone = deleted(&pod, now).unwrap();
            (gone.ended_at.unwrap().seconds, gone.ended_before)
        };
        assert_eq!(deleted(&running), (5, false), "its container tells");
        running["status"]["containerStatuses"][0]["state"] = serde_json::json!({"running": {}});
        assert_eq!(deleted(&running), (9, true), "then, or before");
    }
}
