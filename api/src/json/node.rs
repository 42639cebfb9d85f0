//! `picket.v1.Node` as JSON.

use serde::Serialize;

use super::{Canary, Containment, Finding, Policy};
use crate::{names, times, v1};

/// What runs on a node, and what it cannot see.
#[derive(Debug, Serialize)]
pub struct Node<'a> {
    name: &'a str,
    connected: bool,
    last_seen: Option<String>,
    agent_version: &'a str,
    status: Option<Status<'a>>,
    /// By how much the node's clock is ahead; less than zero when it is behind.
    clock_ahead: Option<String>,
}

impl<'a> Node<'a> {
    /// The form of a message.
    #[must_use]
    pub fn new(node: &'a v1::Node) -> Self {
        Self {
            name: &node.name,
            connected: node.connected,
            last_seen: times::exact(node.last_seen),
            agent_version: &node.agent_version,
            status: node.status.as_ref().map(Status::new),
            clock_ahead: node.clock_ahead.map(times::seconds),
        }
    }
}

#[derive(Debug, Serialize)]
struct Status<'a> {
    attachment: &'a str,
    sample_rate: u32,
    slots_capacity: u32,
    slots: Vec<Slot<'a>>,
    pods: Vec<PodCoverage<'a>>,
    unwatched: Vec<Unwatched<'a>>,
    drops: Vec<Drop<'a>>,
    events_pending: u64,
    spool: Option<Spool<'a>>,
    findings: Vec<Finding<'a>>,
    canary: Option<Canary<'a>>,
    policy: Option<Policy<'a>>,
    containments: Vec<Containment<'a>>,
    at: Option<String>,
}

impl<'a> Status<'a> {
    fn new(status: &'a v1::NodeStatus) -> Self {
        let slot = |slot: &'a v1::Slot| Slot {
            interface: &slot.interface,
            namespace: &slot.namespace,
            pod: &slot.pod,
            uid: &slot.uid,
            addresses: &slot.addresses,
            distinct_ports: slot.distinct_ports,
            records_dropped: slot.records_dropped,
            parse_failures: slot.parse_failures,
            spoofed_packets: slot.spoofed_packets,
            contained_packets: slot.contained_packets,
            reply_filter_percent: slot.reply_filter_percent,
            uplink: slot.uplink,
            one_way: slot.one_way,
        };
        let unwatched = |unwatched: &'a v1::Unwatched| Unwatched {
            interface: &unwatched.interface,
            reason: &unwatched.reason,
        };
        let drop = |drop: &'a v1::Drop| Drop {
            reason: &drop.reason,
            count: drop.count,
        };
        Self {
            attachment: &status.attachment,
            sample_rate: status.sample_rate,
            slots_capacity: status.slots_capacity,
            slots: status.slots.iter().map(slot).collect(),
            pods: status.pods.iter().map(PodCoverage::new).collect(),
            unwatched: status.unwatched.iter().map(unwatched).collect(),
            drops: status.drops.iter().map(drop).collect(),
            events_pending: status.events_pending,
            spool: status.spool.as_ref().map(Spool::new),
            findings: status.findings.iter().map(Finding::new).collect(),
            canary: status.canary.as_ref().map(Canary::new),
            policy: status.policy.as_ref().map(Policy::new),
            containments: status.containments.iter().map(Containment::new).collect(),
            at: times::exact(status.at),
        }
    }
}

#[derive(Debug, Serialize)]
struct Slot<'a> {
    interface: &'a str,
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    addresses: &'a [String],
    distinct_ports: u32,
    records_dropped: u64,
    parse_failures: u64,
    spoofed_packets: u64,
    contained_packets: u64,
    reply_filter_percent: u32,
    uplink: bool,
    one_way: bool,
}

#[derive(Debug, Serialize)]
struct Unwatched<'a> {
    interface: &'a str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct Drop<'a> {
    reason: &'a str,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Spool<'a> {
    durability: String,
    reason: &'a str,
    bytes: u64,
    capacity_bytes: u64,
    damaged_records: u64,
}

impl<'a> Spool<'a> {
    fn new(spool: &'a v1::Spool) -> Self {
        Self {
            durability: names::durability(spool.durability),
            reason: &spool.reason,
            bytes: spool.bytes,
            capacity_bytes: spool.capacity_bytes,
            damaged_records: spool.damaged_records,
        }
    }
}

form! {
    /// Whether a pod is watched.
    pub(super) PodCoverage of PodCoverage as it {
        namespace: &'a str = &it.namespace,
        pod: &'a str = &it.pod,
        uid: &'a str = &it.uid,
        state: String = names::coverage(it.state),
        reason: &'a str = &it.reason,
    }
}

form! {
    /// What runs where.
    pub Nodes of ListNodesResponse as it {
        nodes: Vec<Node<'a>> = it.nodes.iter().map(Node::new).collect(),
        policy: Option<Policy<'a>> = it.policy.as_ref().map(Policy::new),
    }
}
