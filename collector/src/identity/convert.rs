//! What the API server tells of pods, as Picket needs it.

use std::time::SystemTime;

use api::v1;
use k8s_openapi::{
    api::core::v1::{ContainerState, Pod, PodStatus},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time},
};

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

/// The pod as it is once it was deleted: its containers tell until when it ran, else it is until now.
pub(super) fn deleted(mut pod: v1::Pod, now: SystemTime) -> v1::Pod {
    pod.ended_at = pod.ended_at.or_else(|| Some(now.into()));
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

fn states(status: &PodStatus) -> impl Iterator<Item = &ContainerState> {
    let containers = status.container_statuses.iter().flatten();
    containers.filter_map(|container| container.state.as_ref())
}

fn timestamp(time: &Time) -> v1::Timestamp {
    SystemTime::from(time.0).into()
}

#[cfg(test)]
mod tests {
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
            "spec": {"nodeName": "n1", "serviceAccountName": "web", "containers": []},
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
        let running = of(serde_json::json!({
            "metadata": {"name": "a", "uid": "u"}, "spec": {"nodeName": "n", "containers": [], "hostNetwork": true},
            "status": {"phase": "Running", "podIP": "10.0.0.1",
                "containerStatuses": [{"name": "a", "image": "", "imageID": "", "ready": false, "restartCount": 3,
                    "state": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:05Z"}}}]},
        }))
        .unwrap();
        assert!(running.host_network);
        assert_eq!(running.ended_at, None);
        let gone = deleted(running, SystemTime::UNIX_EPOCH);
        assert_eq!(gone.ended_at, Some(SystemTime::UNIX_EPOCH.into()));
    }
}
