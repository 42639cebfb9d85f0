//! The destinations of a pod, as many as there is room for.

use std::{collections::BTreeSet, net::IpAddr};

use hashbrown::HashMap;

use super::destination::{Destination, Outcome, Service};
use crate::{Time, window::PerHorizon};

/// Destinations remembered of one pod.
pub(super) const DESTINATIONS: usize = 1024;
/// Services of destinations remembered of one pod: all ports of one over TCP, or 64 of each.
pub(crate) const PROBES: usize = 65_536;

/// Destinations by address; the one with the fewest failed ports makes room for another, and among
/// those the one idle longest: so no noise drives out a scan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Destinations {
    by_address: HashMap<IpAddr, Box<Destination>>,
    /// In the order in which they make room.
    order: BTreeSet<Rank>,
    probes: usize,
    forgotten: u64,
}

impl Destinations {
    /// Does something with the destination a record tells of, with `service` remembered.
    pub(super) fn reach<T>(
        &mut self,
        address: IpAddr,
        service: Service,
        at: Time,
        what: impl FnOnce(&mut Destination) -> T,
    ) -> T {
        self.make_room(address, service);
        let destination = self.by_address.entry(address).or_default();
        let before = (destination.len() > 0).then(|| rank(address, destination));
        destination.touched = destination.touched.max(second(at));
        self.probes += usize::from(destination.reach(service, at));
        let done = what(destination);
        let after = rank(address, destination);
        if before != Some(after) {
            if let Some(before) = before {
                self.order.remove(&before);
            }
            self.order.insert(after);
        }
        done
    }

    /// Whether `outcome` can be of a probe that was sent.
    pub(super) fn expects(&self, address: IpAddr, service: Service, outcome: Outcome) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|destination| destination.expects(service, outcome))
    }

    pub(super) fn find(&mut self, address: IpAddr) -> Option<&mut Destination> {
        self.by_address
            .get_mut(&address)
            .map(|destination| &mut **destination)
    }

    pub(crate) fn failed(&self, address: IpAddr, now: Time) -> PerHorizon {
        let destination = self.by_address.get(&address);
        destination.map_or_else(PerHorizon::default, |destination| destination.failed(now))
    }

    /// In no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (IpAddr, &Destination)> {
        self.by_address
            .iter()
            .map(|(&address, destination)| (address, destination.as_ref()))
    }

    /// Marks a destination as one that crossed a threshold; true when it was not marked.
    pub(crate) fn cross(&mut self, address: IpAddr) -> bool {
        let Some(destination) = self.by_address.get_mut(&address) else {
            return false;
        };
        if destination.crossed {
            return false;
        }
        self.order.remove(&rank(address, destination));
        destination.crossed = true;
        self.order.insert(rank(address, destination));
        true
    }

    /// The largest count of any destination, for each of several counts.
    pub(crate) fn most<const N: usize>(
        &self,
        counts: impl Fn(&Destination) -> [u32; N],
    ) -> [u32; N] {
        let mut most = [0; N];
        for destination in self.by_address.values() {
            for (most, count) in most.iter_mut().zip(counts(destination)) {
                *most = count.max(*most);
            }
        }
        most
    }

    /// Forgets everything older than `start`, and of what has answered everything older than
    /// `known_start`.
    pub(super) fn sweep(&mut self, start: Time, known_start: Time) {
        self.retain(|destination| destination.sweep(start, known_start));
    }

    /// What failed so far counts no more.
    pub(super) fn spend(&mut self) {
        self.retain(Destination::spend);
    }

    /// Lets each destination forget some of its services, and forgets those that have none left.
    fn retain(&mut self, forget: impl Fn(&mut Destination) -> usize) {
        let (order, probes) = (&mut self.order, &mut self.probes);
        order.clear();
        self.by_address.retain(|&address, destination| {
            *probes -= forget(destination);
            let keep = destination.len() > 0;
            if keep {
                order.insert(rank(address, destination));
            }
            keep
        });
    }

    /// Services forgotten since this was last asked, for want of room.
    pub(super) const fn take_forgotten(&mut self) -> u64 {
        std::mem::replace(&mut self.forgotten, 0)
    }

    /// Forgets destinations until `service` of `address` has room.
    fn make_room(&mut self, address: IpAddr, service: Service) {
        let known = self.by_address.get(&address);
        let (new, new_service) = (
            known.is_none(),
            known.is_none_or(|known| !known.knows(service)),
        );
        while new && self.by_address.len() >= DESTINATIONS || new_service && self.probes >= PROBES {
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
        let order = self.order.len() * size_of::<Rank>() * 11 / 5
            + self.order.len() / 5 * 13 * size_of::<usize>();
        destinations + order + self.by_address.allocation_size()
    }
}

/// Weight, second of the last record, address.
type Rank = (u32, u32, IpAddr);

const fn rank(address: IpAddr, destination: &Destination) -> Rank {
    (destination.weight(), destination.touched, address)
}

fn second(at: Time) -> u32 {
    u32::try_from(at.nanoseconds() / 1_000_000_000).unwrap_or(u32::MAX)
}
