//! `picket.v1.Containment` as JSON.

use crate::times;

form! {
    /// A pod that is contained.
    pub Containment of Containment as it {
        node: &'a str = &it.node,
        namespace: &'a str = &it.namespace,
        pod: &'a str = &it.pod,
        uid: &'a str = &it.uid,
        interface: &'a str = &it.interface,
        since: Option<String> = times::exact(it.since),
        until: Option<String> = times::exact(it.until),
        by: &'a str = &it.by,
        reason: &'a str = &it.reason,
        dropped_packets: u64 = it.dropped_packets,
    }
}
