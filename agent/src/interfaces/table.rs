//! What is known of the selected interfaces, and the changes that follow from each fact.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::SystemTime,
};

use super::{
    change::Change,
    fact::{Fact, Link, Source, Standing},
    selection::Selection,
};
use crate::whose::Whose;

/// Addresses kept of one interface: a pod that answers for many must not grow the table.
pub(super) const ADDRESSES: usize = 64;

#[derive(Debug)]
struct Watched {
    link: Link,
    whose: Whose,
    /// Addresses with the round in which they were last seen; of an uplink, the node's own.
    routes: BTreeMap<IpAddr, u64>,
    neighbours: BTreeMap<IpAddr, u64>,
    /// Addresses of the other end, ascending.
    inside: Vec<IpAddr>,
    told: Vec<IpAddr>,
    seen: u64,
}

/// The selected interfaces, by index.
#[derive(Debug)]
pub(super) struct Table {
    selection: Selection,
    watched: BTreeMap<u32, Watched>,
    /// Interfaces that default routes lead through, with the round in which they were last seen.
    uplinks: BTreeMap<u32, u64>,
    /// Interfaces whose addresses may differ from what was told.
    touched: BTreeSet<u32>,
    /// Counts the dumps begun.
    round: u64,
    addresses_dropped: u64,
    /// When what is told now happened, if that is known.
    now: Option<SystemTime>,
}

impl Table {
    pub(super) const fn new(selection: Selection) -> Self {
        Self {
            selection,
            watched: BTreeMap::new(),
            uplinks: BTreeMap::new(),
            touched: BTreeSet::new(),
            round: 0,
            addresses_dropped: 0,
            now: None,
        }
    }

    /// What is told from now on happened then; or at a time that nobody knows.
    pub(super) const fn set_time(&mut self, now: Option<SystemTime>) {
        self.now = now;
    }

    /// A full dump begins, or begins anew.
    pub(super) const fn begin_dump(&mut self) {
        self.round += 1;
    }

    /// A full dump is complete: what it did not show is gone.
    pub(super) fn finish_dump(&mut self, changes: &mut Vec<Change>) {
        let round = self.round;
        self.uplinks.retain(|_, seen| *seen == round);
        let uplinks = &self.uplinks;
        self.watched.retain(|&ifindex, watched| {
            let is_same = watched.whose == Whose::Pod || uplinks.contains_key(&ifindex);
            let there = watched.seen == round && is_same;
            if !there {
                changes.push(Change::Gone { ifindex });
            }
            watched.routes.retain(|_, seen| *seen == round);
            watched.neighbours.retain(|_, seen| *seen == round);
            there
        });
        self.touched = self.watched.keys().copied().collect();
        self.tell_addresses(changes);
        changes.push(Change::Synchronized);
    }

    /// Takes in a fact; changed addresses are told by [`Table::tell_addresses`].
    pub(super) fn apply(&mut self, fact: Fact, source: Source, changes: &mut Vec<Change>) {
        match fact {
            Fact::Link(link) => self.apply_link(link, source, changes),
            Fact::NoLink { ifindex } => self.remove(ifindex, changes),
            Fact::Route {
                address,
                ifindex,
                replaces,
            } => {
                if replaces {
                    self.forget_route(address);
                }
                if let Some(ifindex) = ifindex.filter(|it| self.is(*it, Whose::Pod)) {
                    self.keep(ifindex, address, |watched| &mut watched.routes);
                }
            }
            Fact::Own { address, ifindex } => {
                if self.is(ifindex, Whose::Node) {
                    self.keep(ifindex, address, |watched| &mut watched.routes);
                }
            }
            Fact::Uplink { ifindex } => {
                self.uplinks.insert(ifindex, self.round);
                if self.is(ifindex, Whose::Pod) {
                    self.remove(ifindex, changes);
                }
            }
            Fact::NoRoute { address, ifindex } => {
                if self.is(ifindex, Whose::Pod) {
                    self.lose(ifindex, address, |watched| &mut watched.routes);
                }
            }
            Fact::NotOwn { address, ifindex } => {
                if self.is(ifindex, Whose::Node) {
                    self.lose(ifindex, address, |watched| &mut watched.routes);
                }
            }
            // Those of an uplink are others, such as its gateway.
            Fact::Neighbour { ifindex, .. } if self.is(ifindex, Whose::Node) => {}
            Fact::Neighbour {
                address,
                ifindex,
                standing,
            } => match standing {
                Standing::Confirmed => {
                    self.keep(ifindex, address, |watched| &mut watched.neighbours);
                }
                Standing::Unchanged => {
                    let round = self.round;
                    let known = self
                        .watched
                        .get_mut(&ifindex)
                        .and_then(|watched| watched.neighbours.get_mut(&address));
                    if let Some(seen) = known {
                        *seen = round;
                    }
                }
                Standing::Lost => {
                    self.lose(ifindex, address, |watched| &mut watched.neighbours);
                }
            },
            Fact::Inside { ifindex, addresses } => self.look_inside(ifindex, addresses),
        }
    }

    /// Tells the addresses that changed since it was last called.
    pub(super) fn tell_addresses(&mut self, changes: &mut Vec<Change>) {
        for ifindex in std::mem::take(&mut self.touched) {
            let Some(watched) = self.watched.get_mut(&ifindex) else {
                continue;
            };
            // A route is the node's own word. Addresses inside are what the CNI plugin set, and what a pod with
            // NET_ADMIN may set anew. Any pod can make itself any neighbour it likes.
            let addresses: Vec<IpAddr> = match (&watched.routes, &watched.inside) {
                (routes, _) if !routes.is_empty() => routes.keys().copied().collect(),
                (_, inside) if !inside.is_empty() => inside.clone(),
                _ => watched.neighbours.keys().copied().collect(),
            };
            if addresses != watched.told {
                watched.told.clone_from(&addresses);
                changes.push(Change::Addresses { ifindex, addresses });
            }
        }
    }

    /// The interface, unless the node's own routes tell what is behind it.
    pub(super) fn unrouted(&self, ifindex: u32) -> Option<&Link> {
        let watched = self.watched.get(&ifindex)?;
        watched.routes.is_empty().then_some(&watched.link)
    }

    /// All interfaces.
    pub(super) fn indexes(&self) -> impl Iterator<Item = u32> {
        self.watched.keys().copied()
    }

    /// Addresses that found no room since this was last asked.
    pub(super) const fn take_addresses_dropped(&mut self) -> u64 {
        std::mem::replace(&mut self.addresses_dropped, 0)
    }

    fn apply_link(&mut self, link: Link, source: Source, changes: &mut Vec<Change>) {
        let ifindex = link.ifindex;
        let is_uplink = self.uplinks.contains_key(&ifindex);
        let Some(whose) = self.selection.whose(&link, is_uplink) else {
            return self.remove(ifindex, changes);
        };
        if !self.is(ifindex, whose) {
            self.remove(ifindex, changes);
        }
        if let Some(watched) = self.watched.get_mut(&ifindex) {
            // The end of an interface is always notified, so an index is taken over unseen only when
            // notifications were lost, and then a dump brings the new owner.
            if source == Source::Notification || watched.link == link {
                if watched.link.name != link.name {
                    let name = link.name.clone();
                    changes.push(Change::Renamed { ifindex, name });
                }
                if watched.link.peer_namespace != link.peer_namespace {
                    watched.inside.clear();
                    self.touched.insert(ifindex);
                }
                watched.link = link;
                watched.seen = self.round;
                return;
            }
            self.remove(ifindex, changes);
        }
        let name = link.name.clone();
        changes.push(Change::Appeared {
            ifindex,
            name,
            whose,
            appeared_at: self.now,
        });
        let watched = Watched {
            link,
            whose,
            routes: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            inside: Vec::new(),
            told: Vec::new(),
            seen: self.round,
        };
        self.watched.insert(ifindex, watched);
    }

    /// Whether it is watched as this one's.
    fn is(&self, ifindex: u32, whose: Whose) -> bool {
        let watched = self.watched.get(&ifindex);
        watched.is_some_and(|it| it.whose == whose)
    }

    /// Whether a dump should show what else there is to know: of an interface that is an uplink only now.
    pub(super) fn asks_for_dump(&self, fact: &Fact) -> bool {
        matches!(fact, Fact::Uplink { ifindex } if !self.uplinks.contains_key(ifindex))
    }

    fn remove(&mut self, ifindex: u32, changes: &mut Vec<Change>) {
        if self.watched.remove(&ifindex).is_some() {
            changes.push(Change::Gone { ifindex });
        }
    }

    fn keep(
        &mut self,
        ifindex: u32,
        address: IpAddr,
        part: impl Fn(&mut Watched) -> &mut BTreeMap<IpAddr, u64>,
    ) {
        let Some(watched) = self.watched.get_mut(&ifindex) else {
            return;
        };
        let full = watched.routes.len() + watched.neighbours.len() >= ADDRESSES;
        let addresses = part(watched);
        if let Some(seen) = addresses.get_mut(&address) {
            *seen = self.round;
        } else if full {
            self.addresses_dropped += 1;
        } else {
            addresses.insert(address, self.round);
            self.touched.insert(ifindex);
        }
    }

    fn lose(
        &mut self,
        ifindex: u32,
        address: IpAddr,
        part: impl Fn(&mut Watched) -> &mut BTreeMap<IpAddr, u64>,
    ) {
        let known = self.watched.get_mut(&ifindex).map(part);
        if known.is_some_and(|addresses| addresses.remove(&address).is_some()) {
            self.touched.insert(ifindex);
        }
    }

    fn look_inside(&mut self, ifindex: u32, mut addresses: Vec<IpAddr>) {
        let Some(watched) = self.watched.get_mut(&ifindex) else {
            return;
        };
        addresses.sort_unstable();
        addresses.dedup();
        self.addresses_dropped += addresses.len().saturating_sub(ADDRESSES) as u64;
        addresses.truncate(ADDRESSES);
        if watched.inside != addresses {
            watched.inside = addresses;
            self.touched.insert(ifindex);
        }
    }

    fn forget_route(&mut self, address: IpAddr) {
        for (&ifindex, watched) in &mut self.watched {
            if watched.routes.remove(&address).is_some() {
                self.touched.insert(ifindex);
            }
        }
    }
}

#[cfg(test)]
mod tests;
