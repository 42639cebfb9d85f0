//! `picket.v1.Containment` as JSON.

use api::v1;
use serde::Serialize;

use crate::time;

#[derive(Serialize)]
pub(super) struct Containment<'a> {
    node: &'a str,
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    interface: &'a str,
    since: Option<String>,
    until: Option<String>,
    by: &'a str,
    reason: &'a str,
    dropped_packets: u64,
}

impl<'a> Containment<'a> {
    pub(super) fn new(containment: &'a v1::Containment) -> Self {
        Self {
            node: &containment.node,
            namespace: &containment.namespace,
            pod: &containment.pod,
            uid: &containment.uid,
            interface: &containment.interface,
            since: time::exact(containment.since),
            until: time::exact(containment.until),
            by: &containment.by,
            reason: &containment.reason,
            dropped_packets: containment.dropped_packets,
        }
    }
}
