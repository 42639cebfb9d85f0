//! Which pod has which address.

mod file;
mod life;
mod naming;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    time::SystemTime,
};

pub use file::{PodsError, Problem, read};
pub use life::Life;
pub use naming::describe;

use crate::v1;

/// The pods that are known, by address. Those in the host's network have none of their own.
#[derive(Clone, Debug, Default)]
pub struct Pods {
    pods: BTreeMap<String, v1::Pod>,
    by_address: HashMap<IpAddr, Vec<String>>,
    /// None when the table names no nodes.
    nodes: Option<BTreeSet<String>>,
}

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// Of this pod, and of no other that is known.
    Pod(&'a v1::Pod),
    /// Of one of so many.
    Several(usize),
    /// Of none that is known.
    Nobody,
}

impl<'a> Found<'a> {
    /// The one among many.
    fn among(mut pods: impl Iterator<Item = &'a v1::Pod>) -> Self {
        match (pods.next(), pods.count()) {
            (None, _) => Self::Nobody,
            (Some(pod), 0) => Self::Pod(pod),
            (Some(_), others) => Self::Several(others + 1),
        }
    }

    /// The pod, when it is certain.
    #[must_use]
    pub const fn pod(self) -> Option<&'a v1::Pod> {
        match self {
            Self::Pod(pod) => Some(pod),
            Self::Several(_) | Self::Nobody => None,
        }
    }
}

impl Pods {
    /// The pods of a table from the wire. Text that is no address names nothing.
    #[must_use]
    pub fn from_table(table: v1::PodTable) -> Self {
        let mut pods = Self::default();
        for pod in table.pods {
            pods.insert(pod);
        }
        pods
    }

    /// Takes in what became different.
    pub fn change(&mut self, changes: v1::PodChanges) {
        for uid in &changes.forgotten {
            self.remove(uid);
        }
        for pod in changes.pods {
            self.insert(pod);
        }
    }

    /// Takes in one pod, instead of the one with the same uid.
    pub fn insert(&mut self, pod: v1::Pod) {
        let key = key(&pod);
        self.remove(&key);
        for address in own_addresses(&pod) {
            self.by_address
                .entry(address)
                .or_default()
                .push(key.clone());
        }
        self.pods.insert(key, pod);
    }

    /// Forgets the pod of this uid.
    pub fn remove(&mut self, uid: &str) -> Option<v1::Pod> {
        let pod = self.pods.remove(uid)?;
        for address in own_addresses(&pod) {
            if let Some(keys) = self.by_address.get_mut(&address) {
                keys.retain(|key| key != uid);
                if keys.is_empty() {
                    self.by_address.remove(&address);
                }
            }
        }
        Some(pod)
    }

    /// The table, as it goes over the wire.
    #[must_use]
    pub fn table(&self) -> v1::PodTable {
        v1::PodTable {
            pods: self.pods.values().cloned().collect(),
            more: false,
        }
    }

    fn with_nodes(self, nodes: BTreeSet<String>) -> Self {
        Self {
            nodes: (!nodes.is_empty()).then_some(nodes),
            ..self
        }
    }

    /// How many pods are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pods.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// All that are known.
    pub fn iter(&self) -> impl Iterator<Item = &v1::Pod> {
        self.pods.values()
    }

    /// Each that has, or had, the address.
    pub fn with_address(&self, address: IpAddr) -> impl Iterator<Item = &v1::Pod> {
        let keys = self.by_address.get(&address.to_canonical());
        keys.into_iter()
            .flatten()
            .filter_map(|key| self.pods.get(key))
    }

    /// The pod of this uid.
    #[must_use]
    pub fn by_uid(&self, uid: &str) -> Option<&v1::Pod> {
        self.pods.get(uid)
    }

    /// The pod that has the address: the first that has not ended.
    #[must_use]
    pub fn by_address(&self, address: IpAddr) -> Option<&v1::Pod> {
        self.with_address(address)
            .find(|pod| pod.ended_at.is_none())
    }

    /// The pod that had the address at some time from `first` to `last`.
    #[must_use]
    pub fn at(&self, address: IpAddr, first: SystemTime, last: SystemTime) -> Found<'_> {
        let pods = self.with_address(address);
        Found::among(pods.filter(|pod| life::lived(pod, first, last)))
    }

    /// The pod of the node that can have had an interface with the address through that life.
    #[must_use]
    pub fn of_interface(&self, node: &str, address: IpAddr, life: Life) -> Found<'_> {
        let pods = self.with_address(address);
        let pods = pods.filter(|pod| pod.node.is_empty() || pod.node == node);
        Found::among(pods.filter(|pod| life.may_be_of(pod)))
    }

    /// The pods of one node, and those whose node is not told.
    #[must_use]
    pub fn of_node(&self, node: &str) -> v1::PodTable {
        let pods = self
            .pods
            .values()
            .filter(|pod| pod.node.is_empty() || pod.node == node)
            .cloned()
            .collect();
        v1::PodTable { pods, more: false }
    }

    /// Whether the table names the node, or no node at all.
    #[must_use]
    pub fn knows_node(&self, node: &str) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.contains(node))
    }
}

/// What tells the pod from all others: its uid, or its name when an operator wrote it down without one.
#[must_use]
pub fn key(pod: &v1::Pod) -> String {
    match pod.uid.is_empty() {
        true => format!("{}/{}", pod.namespace, pod.name),
        false => pod.uid.clone(),
    }
}

fn own_addresses(pod: &v1::Pod) -> impl Iterator<Item = IpAddr> {
    let addresses: BTreeSet<_> = pod
        .addresses
        .iter()
        .filter_map(|it| address_of(it))
        .collect();
    addresses.into_iter().filter(|_| !pod.host_network)
}

/// The address that the text is.
#[must_use]
pub fn address_of(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn pod(namespace: &str, name: &str, node: &str, addresses: &[&str]) -> v1::Pod {
        v1::Pod {
            namespace: namespace.into(),
            name: name.into(),
            uid: format!("uid-{name}"),
            node: node.into(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            ..v1::Pod::default()
        }
    }

    fn pods() -> Pods {
        Pods::from_table(v1::PodTable {
            pods: vec![
                pod("default", "app1", "n1", &["10.244.147.92", "fd00::92"]),
                pod("blue", "app2", "n2", &["10.244.147.93"]),
                pod("red", "app3", "", &["10.244.147.94", "nonsense"]),
            ],
            more: false,
        })
    }

    fn endpoint(address: &str) -> v1::Endpoint {
        v1::Endpoint {
            address: address.into(),
            ..Default::default()
        }
    }

    fn name(endpoint: &v1::Endpoint) -> [&str; 3] {
        [&endpoint.namespace, &endpoint.pod, &endpoint.uid].map(String::as_str)
    }

    #[test]
    fn a_pod_is_found_by_each_of_its_addresses() {
        for (address, expected) in [
            ("10.244.147.92", Some("app1")),
            ("::ffff:10.244.147.92", Some("app1")),
            ("fd00::92", Some("app1")),
            ("10.244.147.93", Some("app2")),
            ("10.0.0.1", None),
        ] {
            let pods = pods();
            let found = pods.by_address(address.parse().unwrap());
            assert_eq!(found.map(|pod| pod.name.as_str()), expected, "{address}");
        }
    }

    #[test]
    fn a_node_gets_its_own_pods_and_those_of_no_node() {
        let names = |node| {
            let pods = pods().of_node(node).pods;
            pods.into_iter().map(|pod| pod.name).collect::<Vec<_>>()
        };
        assert_eq!(names("n1"), ["app1", "app3"]);
        assert_eq!(names("n3"), ["app3"]);
    }

    #[test]
    fn without_named_nodes_every_node_is_known() {
        assert!(pods().knows_node("any"));
        let named = pods().with_nodes(BTreeSet::from(["n1".into()]));
        assert!(named.knows_node("n1"));
        assert!(!named.knows_node("any"));
    }

    #[test]
    fn source_and_targets_are_named_and_the_summary_names_them() {
        let mut event = v1::Event {
            detector: "port_scan".into(),
            source: Some(endpoint("10.244.147.92")),
            targets: vec![v1::Target {
                endpoint: Some(endpoint("10.244.147.93")),
                ..Default::default()
            }],
            ..Default::default()
        };
        pods().complete(&mut event);
        assert_eq!(
            name(event.source.as_ref().unwrap()),
            ["default", "app1", "uid-app1"]
        );
        assert_eq!(
            name(event.targets[0].endpoint.as_ref().unwrap()),
            ["blue", "app2", "uid-app2"]
        );
        let sentence = "default/app1 (10.244.147.92) scanned blue/app2 (10.244.147.93): ";
        assert!(event.summary.starts_with(sentence), "{}", event.summary);
    }

    #[test]
    fn the_pod_that_an_event_is_about_is_labelled() {
        let labels: BTreeMap<_, _> = [("app".to_owned(), "shop".to_owned())].into();
        let shop = v1::Pod {
            labels: labels.clone(),
            ..pod("default", "shop", "n1", &["10.244.147.95"])
        };
        let pods = Pods::from_table(v1::PodTable {
            pods: vec![shop],
            more: false,
        });
        let mut scanner = v1::Event {
            source: Some(endpoint("10.244.147.95")),
            ..Default::default()
        };
        pods.complete(&mut scanner);
        assert_eq!(scanner.source.unwrap().labels, labels);

        let mut victim = v1::Event {
            source: Some(v1::Endpoint::default()),
            targets: vec![v1::Target {
                endpoint: Some(endpoint("10.244.147.95")),
                ..Default::default()
            }],
            ..Default::default()
        };
        pods.complete(&mut victim);
        assert_eq!(victim.targets[0].endpoint.as_ref().unwrap().labels, labels);

        let mut other = v1::Event {
            source: Some(v1::Endpoint {
                pod: "older".into(),
                ..endpoint("10.244.147.95")
            }),
            ..Default::default()
        };
        pods.complete(&mut other);
        assert!(other.source.unwrap().labels.is_empty(), "of another pod");
    }

    #[test]
    fn a_name_that_is_there_stays_and_what_is_unknown_stays_empty() {
        let named = |namespace: &str, pod: &str, address: &str| v1::Endpoint {
            namespace: namespace.into(),
            pod: pod.into(),
            ..endpoint(address)
        };
        for (before, after) in [
            (
                named("default", "app1", "10.244.147.92"),
                ["default", "app1", "uid-app1"],
            ),
            (
                named("default", "older", "10.244.147.92"),
                ["default", "older", ""],
            ),
            (endpoint("10.0.0.1"), ["", "", ""]),
            (endpoint(""), ["", "", ""]),
        ] {
            let mut event = v1::Event {
                source: Some(before),
                ..Default::default()
            };
            pods().complete(&mut event);
            assert_eq!(name(event.source.as_ref().unwrap()), after);
        }
    }
}
