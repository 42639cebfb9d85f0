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
            None => (v1::CoverageState::NotAttached, binder.why_not_attached(pod)),
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

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::SystemTime};

    use detect::Subject;

    use super::*;

    fn pod(name: &str, last: u8) -> v1::Pod {
        v1::Pod {
            uid: name.into(),
            name: name.into(),
            node: "n1".into(),
            addresses: vec![format!("10.0.0.{last}")],
            ..v1::Pod::default()
        }
    }

    #[test]
    fn each_pod_that_lives_here_is_covered_or_it_is_said_why_not() {
        let mut binder = Binder::new("n1", Vec::new(), true);
        let now = SystemTime::UNIX_EPOCH;
        for (ifindex, last) in [(1, Some(1)), (2, Some(2)), (3, Some(3)), (4, None)] {
            binder.appeared(ifindex, "veth", Some(now), now);
            binder.watched(Subject { ifindex, epoch: 1 });
            let address = last.map(|last| IpAddr::from([10, 0, 0, last]));
            binder.addresses(ifindex, address.as_slice());
        }
        let host_network = |pod| v1::Pod {
            host_network: true,
            ..pod
        };
        let no_address = |pod| v1::Pod {
            addresses: Vec::new(),
            ..pod
        };
        let elsewhere = |pod| v1::Pod {
            node: "n2".into(),
            ..pod
        };
        let ended = |pod| v1::Pod {
            ended_at: Some(now.into()),
            ..pod
        };
        let pods = vec![
            pod("covered", 1),
            pod("refused", 2),
            pod("one-of-two", 3),
            pod("two-of-two", 3),
            pod("other-kind", 9),
            no_address(pod("new", 0)),
            host_network(pod("host", 0)),
            elsewhere(pod("elsewhere", 4)),
            ended(pod("ended", 5)),
        ];
        let pods = Pods::from_table(v1::PodTable { pods, more: false });
        binder.bind(&pods, true, now);
        let full = "all slots are taken".to_owned();
        let refused = |ifindex| (ifindex == 2).then_some(&full);
        let told = coverage(&pods, "n1", &binder, false, refused);
        let told: Vec<_> = told
            .iter()
            .map(|it| (it.pod.as_str(), it.state(), it.reason.as_str()))
            .collect();
        let (covered, not_attached, host) = (
            v1::CoverageState::Covered,
            v1::CoverageState::NotAttached,
            v1::CoverageState::HostNetwork,
        );
        let several =
            "an interface has its address: several pods had its address at about that time";
        let expected = [
            ("covered", covered, ""),
            ("host", host, "it sends as the node, which is not watched"),
            ("new", not_attached, "it has no address yet"),
            ("one-of-two", not_attached, several),
            (
                "other-kind",
                not_attached,
                "none of 4 interfaces is known to have 10.0.0.9, and of 1 of them no address is known; an \
                 interface that is no veth is selected by --interfaces alone",
            ),
            ("refused", not_attached, "all slots are taken"),
            ("two-of-two", not_attached, several),
        ];
        assert_eq!(told, expected);
    }
}
