//! The destinations of a pod, as many as there is room for.

use std::{collections::BTreeSet, net::IpAddr};

use hashbrown::HashMap;

use super::{
    destination::Destination,
    window::{HORIZONS, PerHorizon},
};
use crate::Time;

/// Destinations remembered of one pod.
pub(super) const DESTINATIONS: usize = 1024;
/// Ports of destinations remembered of one pod: all ports of one, or 64 of each.
pub(super) const PROBES: usize = 65_536;

/// Destinations by address; the one idle longest makes room for another.
#[derive(Clone, Debug, Default)]
pub(super) struct Destinations {
    by_address: HashMap<IpAddr, Box<Destination>>,
    idle: BTreeSet<(Time, IpAddr)>,
    probes: usize,
    forgotten: u64,
}

impl Destinations {
    /// The destination a record tells of, with `port` remembered.
    pub(super) fn reach(&mut self, address: IpAddr, port: u16, at: Time) -> &mut Destination {
        self.make_room(address, port);
        let destination = self.by_address.entry(address).or_default();
        self.idle.remove(&(destination.touched, address));
        destination.touched = destination.touched.max(at);
        self.idle.insert((destination.touched, address));
        self.probes += usize::from(destination.reach(port, at));
        destination
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
        let (idle, probes) = (&mut self.idle, &mut self.probes);
        self.by_address.retain(|&address, destination| {
            *probes -= destination.sweep(start);
            let keep = destination.len() > 0;
            if !keep {
                idle.remove(&(destination.touched, address));
            }
            keep
        });
    }

    /// Ports forgotten since this was last asked, for want of room.
    pub(super) const fn take_forgotten(&mut self) -> u64 {
        std::mem::replace(&mut self.forgotten, 0)
    }

    /// Forgets the destinations idle longest until `port` of `address` has room.
    fn make_room(&mut self, address: IpAddr, port: u16) {
        let known = self.by_address.get(&address);
        let (new, new_port) = (
            known.is_none(),
            known.is_none_or(|known| !known.knows(port)),
        );
        while new && self.by_address.len() >= DESTINATIONS || new_port && self.probes >= PROBES {
            let Some(&idlest) = self.idle.iter().find(|&&(_, idle)| idle != address) else {
                // Not reached: all ports of a single destination have room.
                return;
            };
            self.idle.remove(&idlest);
            if let Some(destination) = self.by_address.remove(&idlest.1) {
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
        let idle = self.idle.len() * size_of::<(Time, IpAddr)>() * 11 / 5
            + self.idle.len() / 5 * 13 * size_of::<usize>();
        destinations + idle + self.by_address.allocation_size()
    }
}
