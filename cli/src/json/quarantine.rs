//! A policy that quarantines a pod, and what it would cut, as JSON.

use std::collections::BTreeMap;

use api::v1;
use serde::Serialize;

use crate::{names, time};

#[derive(Serialize)]
pub(crate) struct Quarantine<'a> {
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

#[derive(Serialize)]
struct Edge<'a> {
    outbound: bool,
    address: &'a str,
    namespace: &'a str,
    pod: &'a str,
    service: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
    transport: String,
    port: u32,
    last_seen: Option<String>,
}

impl<'a> Quarantine<'a> {
    /// `passes` tells what the policy leaves.
    pub(crate) fn new(
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
            edges.map(edge).collect()
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

fn edge(edge: &v1::Edge) -> Edge<'_> {
    let labels = edge.labels.iter();
    Edge {
        outbound: edge.outbound,
        address: &edge.address,
        namespace: &edge.namespace,
        pod: &edge.pod,
        service: &edge.service,
        labels: labels.map(|(key, value)| (&**key, &**value)).collect(),
        transport: names::transport(edge.transport()),
        port: edge.port,
        last_seen: time::exact(edge.last_seen),
    }
}
