//! A policy that quarantines a pod, and what it would cut, as JSON.

use serde::Serialize;

use super::Edge;
use crate::v1;

/// The policy, and what it is about.
#[derive(Debug, Serialize)]
pub struct Quarantine<'a> {
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    protected: &'a str,
    cuts: Vec<Edge<'a>>,
    leaves: Vec<Edge<'a>>,
    further: u64,
    crowded_pods: u32,
    /// Other policies that still allow the pod something; null when nobody has told of any.
    others: Option<&'a [String]>,
    /// YAML.
    policy: String,
}

impl<'a> Quarantine<'a> {
    /// `passes` tells what the policy leaves.
    pub fn new(
        described: &'a v1::DescribeResponse,
        passes: impl Fn(&v1::Edge) -> bool,
        others: Option<&'a [String]>,
        policy: String,
    ) -> Self {
        let pod = described.pod.as_ref();
        let of = |text: fn(&v1::Pod) -> &String| pod.map(text).map_or("", String::as_str);
        let edges = |left: bool| {
            let edges = described.edges.iter();
            let edges = edges.filter(|it| passes(it) == left);
            edges.map(Edge::new).collect()
        };
        Self {
            namespace: of(|pod| &pod.namespace),
            pod: of(|pod| &pod.name),
            uid: of(|pod| &pod.uid),
            protected: &described.protected,
            cuts: edges(false),
            leaves: edges(true),
            further: described.further,
            crowded_pods: described.crowded_pods,
            others,
            policy,
        }
    }
}
