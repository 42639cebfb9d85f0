//! `picket.v1.Pod` as JSON.

use std::collections::BTreeMap;

use super::event::Owner;
use crate::times;

form! {
    /// A pod.
    pub(super) Pod of Pod as it {
        namespace: &'a str = &it.namespace,
        name: &'a str = &it.name,
        uid: &'a str = &it.uid,
        node: &'a str = &it.node,
        addresses: &'a [String] = &it.addresses,
        labels: &'a BTreeMap<String, String> = &it.labels,
        owner: Option<Owner<'a>> = it.owner.as_ref().map(Owner::new),
        service_account: &'a str = &it.service_account,
        host_network: bool = it.host_network,
        started_at: Option<String> = times::exact(it.started_at),
        running_at: Option<String> = times::exact(it.running_at),
        ended_at: Option<String> = times::exact(it.ended_at),
    }
}
