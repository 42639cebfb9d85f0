//! Which pod has which address.

mod file;

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

pub use file::{PodsError, Problem, read};

use crate::{filter, summary, v1};

/// Of a pod that go into an event.
const LABELS: usize = 64;

/// The pods that are known, by address.
#[derive(Clone, Debug, Default)]
pub struct Pods {
    pods: Vec<v1::Pod>,
    by_address: HashMap<IpAddr, usize>,
    /// None when the table names no nodes.
    nodes: Option<BTreeSet<String>>,
}

impl Pods {
    /// The pods of a table from the wire. Of an address given twice the first pod has it; text
    /// that is no address names nothing.
    #[must_use]
    pub fn from_table(table: v1::PodTable) -> Self {
        let mut by_address = HashMap::new();
        for (index, pod) in table.pods.iter().enumerate() {
            for address in pod.addresses.iter().filter_map(|text| address(text)) {
                by_address.entry(address).or_insert(index);
            }
        }
        Self {
            pods: table.pods,
            by_address,
            nodes: None,
        }
    }

    /// Takes in what became different.
    pub fn change(&mut self, changes: v1::PodChanges) {
        let gone: BTreeSet<_> = changes.forgotten.iter().map(String::as_str).collect();
        let new: BTreeSet<_> = changes.pods.iter().map(|pod| pod.uid.as_str()).collect();
        let mut pods = std::mem::take(&mut self.pods);
        pods.retain(|pod| !gone.contains(pod.uid.as_str()) && !new.contains(pod.uid.as_str()));
        pods.extend(changes.pods.iter().cloned());
        let nodes = self.nodes.take();
        *self = Self::from_table(v1::PodTable { pods });
        self.nodes = nodes;
    }

    fn with_nodes(self, nodes: BTreeSet<String>) -> Self {
        Self {
            nodes: (!nodes.is_empty()).then_some(nodes),
            ..self
        }
    }

    /// How many pods are known.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pods.len()
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// The pod that has the address.
    #[must_use]
    pub fn by_address(&self, address: IpAddr) -> Option<&v1::Pod> {
        let index = self.by_address.get(&address.to_canonical())?;
        self.pods.get(*index)
    }

    /// The pods of one node, and those whose node is not told.
    #[must_use]
    pub fn of_node(&self, node: &str) -> v1::PodTable {
        let pods = self
            .pods
            .iter()
            .filter(|pod| pod.node.is_empty() || pod.node == node)
            .cloned()
            .collect();
        v1::PodTable { pods }
    }

    /// Whether the table names the node, or no node at all.
    #[must_use]
    pub fn knows_node(&self, node: &str) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.contains(node))
    }

    /// Names the pods of an event that are still unnamed, from their addresses, labels the pod it is about,
    /// and says its summary again when there are names that it lacks. What is unknown stays empty.
    pub fn complete(&self, event: &mut v1::Event) {
        let targets = event
            .targets
            .iter_mut()
            .filter_map(|target| target.endpoint.as_mut());
        let mut news = event.summary.is_empty();
        for endpoint in event.source.iter_mut().chain(targets) {
            news |= self.name(endpoint);
        }
        self.label(event);
        if news {
            event.summary = summary::summarize(event);
        }
    }

    fn label(&self, event: &mut v1::Event) {
        let Some(subject) = filter::subject_mut(event) else {
            return;
        };
        let known = address(&subject.address).and_then(|address| self.by_address(address));
        let same = |pod: &&v1::Pod| subject.namespace == pod.namespace && subject.pod == pod.name;
        if let Some(pod) = known.filter(same) {
            let labels = pod.labels.iter().take(LABELS);
            let labels = labels.map(|(key, value)| (key.clone(), value.clone()));
            subject.labels = labels.collect();
        }
    }

    /// Whether the pod has a name that it had not.
    fn name(&self, endpoint: &mut v1::Endpoint) -> bool {
        if self.by_address.is_empty() {
            return false;
        }
        let known = address(&endpoint.address).and_then(|address| self.by_address(address));
        let Some(pod) = known else {
            return false;
        };
        let unnamed = endpoint.namespace.is_empty() && endpoint.pod.is_empty();
        let same = endpoint.namespace == pod.namespace && endpoint.pod == pod.name;
        if unnamed {
            endpoint.namespace.clone_from(&pod.namespace);
            endpoint.pod.clone_from(&pod.name);
        }
        // The uid of another pod would be worse than none.
        if (unnamed || same) && endpoint.uid.is_empty() {
            endpoint.uid.clone_from(&pod.uid);
        }
        unnamed
    }
}

fn address(text: &str) -> Option<IpAddr> {
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
        let pods = Pods::from_table(v1::PodTable { pods: vec![shop] });
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
