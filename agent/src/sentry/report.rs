//! What the loop says of itself: what it watches, whom it contains, and who talks to whom.

use api::v1;
use detect::{Count, Transport};

use super::{Sentry, status::status};
use crate::{
    datapath::{Report, monotonic},
    identity::coverage,
};

/// Edges of all pods in one status, which would otherwise be larger than all that is in it.
const EDGES: usize = 1024;

const fn transport(transport: Transport) -> v1::Transport {
    match transport {
        Transport::Tcp => v1::Transport::Tcp,
        Transport::Udp => v1::Transport::Udp,
        Transport::Sctp => v1::Transport::Sctp,
        Transport::Icmp | Transport::Protocol | Transport::Neighbour => v1::Transport::Unspecified,
    }
}

impl Sentry {
    pub(super) fn report(&self) {
        let pods = self.ends.pods.borrow();
        let mut told = status(&self.datapath, &self.roster, &self.binder, &pods);
        told.pods = coverage(
            &pods,
            &self.agent.node,
            &self.binder,
            self.roster.watches_node(),
            |ifindex| self.roster.reason(ifindex),
        );
        drop(pods);
        told.at = Some(self.clock.now().into());
        told.containments = self.containments();
        told.edges.clone_from(&self.told_edges);
        self.ends.account.complete(&mut told, &self.ends.hits);
        self.metrics.report(
            &told,
            self.datapath.stray_records(),
            self.detectors.forgotten(),
        );
        self.ends.status.send_replace(told);
    }

    /// What is contained now.
    fn containments(&self) -> Vec<v1::Containment> {
        let held = self.guard.machine.held();
        held.map(|held| {
            let [namespace, pod, uid] = held.pod().map(str::to_owned);
            let reports = &mut self.datapath.reports();
            let report = reports.find(|it| it.subject == held.subject());
            let dropped = |it: Report| it.counts[Count::Contained as usize];
            v1::Containment {
                node: self.agent.node.clone(),
                namespace,
                pod,
                uid,
                interface: self.roster.name(held.subject()).to_owned(),
                since: Some(self.wall(held.since()).into()),
                until: Some(self.wall(held.until()).into()),
                by: held.by().to_owned(),
                reason: held.reason().to_owned(),
                dropped_packets: report.map_or(0, dropped),
            }
        })
        .collect()
    }

    /// Whom the pods of this node talked to, for the status.
    pub(super) fn tell_edges(&mut self) {
        let now = monotonic();
        let pods = self.ends.pods.borrow();
        let mut room = EDGES;
        let mut told = Vec::new();
        for subject in self.roster.subjects() {
            let Some(pod) = self.binder.pod(subject, &pods) else {
                continue;
            };
            let seen: Vec<_> = self.edges.of(subject, now).collect();
            let edges: Vec<_> = seen
                .iter()
                .take(room)
                .map(|(edge, last)| v1::Edge {
                    address: edge.address.to_string(),
                    transport: transport(edge.transport).into(),
                    port: edge.port.into(),
                    outbound: true,
                    answered: true,
                    last_seen: Some(self.wall(*last).into()),
                    ..v1::Edge::default()
                })
                .collect();
            if seen.is_empty() {
                continue;
            }
            room -= edges.len();
            let left = seen.len() - edges.len();
            told.push(v1::SlotEdges {
                namespace: pod.namespace.clone(),
                pod: pod.name.clone(),
                uid: pod.uid.clone(),
                edges,
                further: self.edges.further(subject) + left as u64,
            });
        }
        drop(pods);
        self.told_edges = told;
    }
}
