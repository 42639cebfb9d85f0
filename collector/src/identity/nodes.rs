//! The nodes of the cluster, by name and by address.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::SystemTime,
};

use api::pods::address_of;
use k8s_openapi::api::core::v1::Node;

use super::services::{ROUNDED, since};

#[derive(Debug, Default)]
pub(super) struct Nodes {
    known: BTreeMap<String, Known>,
    by_address: BTreeMap<IpAddr, String>,
    are_watched: bool,
}

#[derive(Debug)]
struct Known {
    since: Option<SystemTime>,
    addresses: Vec<IpAddr>,
}

impl Nodes {
    /// Whether they are watched, and all of them known.
    pub(super) const fn are_watched(&self) -> bool {
        self.are_watched
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Takes in a node, or that it is gone.
    pub(super) fn take(&mut self, node: &Node, gone: bool) {
        let Some(name) = node.metadata.name.clone() else {
            return;
        };
        self.forget(&name);
        if gone {
            return;
        }
        let status = node.status.as_ref().and_then(|it| it.addresses.as_ref());
        let addresses = status.into_iter().flatten();
        let addresses: Vec<_> = addresses.filter_map(|it| address_of(&it.address)).collect();
        for address in &addresses {
            self.by_address.insert(*address, name.clone());
        }
        let since = since(&node.metadata);
        self.known.insert(name, Known { since, addresses });
    }

    /// All but these are gone.
    pub(super) fn keep(&mut self, listed: &BTreeSet<String>) {
        let gone = self.known.keys().filter(|it| !listed.contains(*it));
        for name in gone.cloned().collect::<Vec<_>>() {
            self.forget(&name);
        }
        self.are_watched = true;
    }

    /// The node that had the address at that time.
    pub(super) fn at(&self, address: IpAddr, at: Option<SystemTime>) -> Option<&String> {
        let name = self.by_address.get(&address)?;
        let since = self.known.get(name)?.since.zip(at);
        since
            .is_none_or(|(since, at)| since < at + ROUNDED)
            .then_some(name)
    }

    fn forget(&mut self, name: &str) {
        let addresses = self.known.remove(name).map(|it| it.addresses);
        for address in addresses.unwrap_or_default() {
            if self.by_address.get(&address).is_some_and(|it| it == name) {
                self.by_address.remove(&address);
            }
        }
    }
}
