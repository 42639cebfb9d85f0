//! What `picket.v1.Actions` answers, as JSON.

use std::collections::BTreeMap;

use super::{containment::Containment, pod::Pod};
use crate::{names, times};

form! {
    /// What became of a command.
    pub Outcome of CommandOutcome as it {
        id: &'a str = &it.id,
        obeyed: bool = it.obeyed,
        reason: &'a str = &it.reason,
        lease_until: Option<String> = times::exact(it.lease_until),
    }
}

form! {
    /// What is contained now.
    pub Containments of ListContainmentsResponse as it {
        containments: Vec<Containment<'a>> = it.containments.iter().map(Containment::new).collect(),
    }
}

form! {
    /// Where a pod is, and whom it talks to.
    pub Described of DescribeResponse as it {
        pod: Option<Pod<'a>> = it.pod.as_ref().map(Pod::new),
        edges: Vec<Edge<'a>> = it.edges.iter().map(Edge::new).collect(),
        protected: &'a str = &it.protected,
        further: u64 = it.further,
        crowded_pods: u32 = it.crowded_pods,
    }
}

form! {
    /// Who talked to whom.
    pub Edge of Edge as it {
        address: &'a str = &it.address,
        namespace: &'a str = &it.namespace,
        pod: &'a str = &it.pod,
        service: &'a str = &it.service,
        transport: String = names::transport(it.transport),
        port: u32 = it.port,
        outbound: bool = it.outbound,
        answered: bool = it.answered,
        last_seen: Option<String> = times::exact(it.last_seen),
        labels: &'a BTreeMap<String, String> = &it.labels,
    }
}
