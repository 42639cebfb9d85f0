//! The destinations of a pod, as many as there is room for.

use std::{collections::BTreeSet, net::IpAddr};

use hashbrown::HashMap;

use super::{
    destination::{Destination, Outcome},
    window::{HORIZONS, PerHorizon},
};
use crate::Time;

/// Destinations remembered of one pod.
pub(super) const DESTINATIONS: usize = 1024;
/// Ports of destinations remembered of one pod: all ports of one, or 64 of each.
pub(super) const PROBES: usize = 65_536;

/// Destinations by address; the one with the fewest failed ports makes room for another, and among
/// those the one idle longest: so no noise drives out a scan.
#[derive(Clone, Debug, Default)]
pub(super) struct Destinations {
    by_address: HashMap<IpAddr, Box<Destination>>,
    /// In the order in which they make room.
    order: BTreeSet<(u32, Time, IpAddr)>,
    probes: usize,
    forgotten: u64,
}

impl Destinations {
    /// Does something with the destination a record tells of, with `port` remembered.
    pub(super) fn reach<T>(
        &mut self,
        address: IpAddr,
        port: u16,
        at: Time,
        what: impl FnOnce(&mut Destination) -> T,
    ) -> T {
        self.make_room(address, port);
        let destination = self.by_address.entry(address).or_default();
        self.order.remove(&rank(address, destination));
        destination.touched = destination.touched.max(at);
        self.probes += usize::from(destination.reach(port, at));
        let done = what(destination);
        self.order.insert(rank(address, destination));
        done
    }

    /// Whether `outcome` can be of a probe that was sent.
    pub(super) fn expects(&self, address: IpAddr, port: u16, outcome: Outcome) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|destination| destination.expects(port, outcome))
    }

    pub(super) fn find(&mut self, address: IpAddr) -> Option<&mut Destination> {
        self.by_address
            .get_mut(&address)
            .map(|destination| &mut **destination)
    }

    pub(super) fn failed(&self, address: IpAddr, now: Time) -> PerHorizon {
        let destination = self.by_address.get(&address);
        destination.map_or_else(PerHorizon::default, |destination| destination.failed(now))
    }

    /// In no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (IpAddr, &Destination)> {
        self.by_address
            .iter()
            .map(|(&address, destination)| (address, destination.as_ref()))
    }

    /// The largest count of failed ports of any destination, for each horizon.
    pub(super) fn most_failed(&self, now: Time) -> PerHorizon {
        let mut most = [0; HORIZONS.len()];
        for destination in self.by_address.values() {
            for (most, count) in most.iter_mut().zip(destination.failed(now)) {
                *most = count.max(*most);
            }
        }
        most
    }

    /// Forgets everything older than `start`.
    pub(super) fn sweep(&mut self, start: Time) {
        let (order, probes) = (&mut self.order, &mut self.probes);
        self.by_address.retain(|&address, destination| {
            order.remove(&rank(address, destination));
            *probes -= destination.sweep(start);
            let keep = destination.len() > 0;
            if keep {
                order.insert(rank(address, destination));
            }
            keep
        });
    }

    /// Ports forgotten since this was last asked, for want of room.
    pub(super) const fn take_forgotten(&mut self) -> u64 {
        std::mem::replace(&mut self.forgotten, 0)
    }

    /// Forgets destinations until `port` of `address` has room.
    fn make_room(&mut self, address: IpAddr, port: u16) {
        let known = self.by_address.get(&address);
        let (new, new_port) = (
            known.is_none(),
            known.is_none_or(|known| !known.knows(port)),
        );
        while new && self.by_address.len() >= DESTINATIONS || new_port && self.probes >= PROBES {
            let Some(&first) = self.order.iter().find(|&&(.., first)| first != address) else {
                // Not reached: all ports of a single destination have room.
                return;
            };
            self.order.remove(&first);
            if let Some(destination) = self.by_address.remove(&first.2) {
                self.probes -= destination.len();
                self.forgotten += destination.len() as u64;
            }
        }
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let destinations: usize = self
            .by_address
            .values()
            .map(|destination| size_of::<Destination>() + destination.heap_bytes())
            .sum();
        // A node of a `BTreeSet` holds 5 to 11 entries and up to 12 edges.
        let order = self.order.len() * size_of::<(u32, Time, IpAddr)>() * 11 / 5
            + self.order.len() / 5 * 13 * size_of::<usize>();
        destinations + order + self.by_address.allocation_size()
    }
}

fn rank(address: IpAddr, destination: &Destination) -> (u32, Time, IpAddr) {
    (destination.weight(), destination.touched, address)
}
