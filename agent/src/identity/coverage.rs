//! Which pods of the node are watched, and why the others are not.

use api::{pods::Pods, v1};

use super::Binder;

/// Every pod that lives. Those on the node's network are watched as the node is, where `watches_node`. `unwatched` tells why an interface is not watched, if that is so.
pub fn coverage<'a>(
    pods: &Pods,
    node: &str,
    binder: &Binder,
    watches_node: bool,
    unwatched: impl Fn(u32) -> Option<&'a String>,
) -> Vec<v1::PodCoverage> {
    let here = |pod: &&v1::Pod| pod.node.is_empty() || pod.node == node;
    let alive = pods.iter().filter(|pod| pod.ended_at.is_none());
    let covered = alive.filter(here).map(|pod| {
        let (state, reason) = match binder.interface_of(pod) {
            _ if pod.host_network => (
                v1::CoverageState::HostNetwork,
                of_node(watches_node).to_owned(),
            ),
            Some(ifindex) => match unwatched(ifindex) {
                Some(reason) => (v1::CoverageState::NotAttached, reason.clone()),
                None => (v1::CoverageState::Covered, String::new()),
            },
            None if pod.addresses.is_empty() => (
                v1::CoverageState::NotAttached,
                "it has no address yet".to_owned(),
            ),
            None => (
                v1::CoverageState::NotAttached,
                "no watched interface is known to be its own".to_owned(),
            ),
        };
        v1::PodCoverage {
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            uid: pod.uid.clone(),
            state: state.into(),
            reason,
        }
    });
    covered.collect()
}

const fn of_node(watches_node: bool) -> &'static str {
    if watches_node {
        "it is watched as the node, at the uplink"
    } else {
        "it sends as the node, which is not watched"
    }
}
