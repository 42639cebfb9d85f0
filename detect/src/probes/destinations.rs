//! The destinations of a pod, as many as there is room for.

use std::{collections::BTreeSet, net::IpAddr};

use hashbrown::HashMap;

use super::destination::{Destination, NewPorts, Outcome, Service};
use crate::{
    Technique, Time,
    limits::{DAY, HOUR, MINUTE},
    window::{PerHorizon, within},
};

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
    /// Those with more than one port that is counted as new, as of the last sweep or later.
    new: BTreeSet<IpAddr>,
    /// When a low port was last new.
    low_at: Option<Time>,
    /// When a port was last probed with crafted packets that was new.
    crafted_at: Option<Time>,
    probes: usize,
    forgotten: u64,
}

impl Destinations {
    /// A probe was sent: whether none was on its way yet, and what new ports there are by it.
    pub(super) fn send(
        &mut self,
        address: IpAddr,
        service: Service,
        at: Time,
        technique: Technique,
        is_declared: bool,
    ) -> (bool, NewPorts) {
        let send =
            |destination: &mut Destination| destination.send(service, at, technique, is_declared);
        let (first, new) = self.reach(address, service, at, send);
        if new.low > 0 {
            self.low_at = self.low_at.max(Some(at));
        }
        if new.crafted > 0 {
            self.crafted_at = self.crafted_at.max(Some(at));
        }
        if new.low.max(new.crafted) > 1 {
            self.new.insert(address);
        }
        (first, new)
    }

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

    /// The most failed ports of any destination, over each horizon.
    pub(crate) fn most_failed(&self, now: Time) -> PerHorizon {
        let mut most = PerHorizon::default();
        for &(weight, _, address) in self.order.iter().rev() {
            // Nor has any of those that follow more.
            if most.iter().all(|&count| count >= weight) {
                break;
            }
            for (most, count) in most.iter_mut().zip(self.failed(address, now)) {
                *most = count.max(*most);
            }
        }
        most
    }

    /// The most low ports of any destination that were new to the pod within a minute, and the most that
    /// were probed with crafted packets within an hour.
    pub(crate) fn most_new_ports(&self, now: Time) -> (u32, u32) {
        let one = |at: Option<Time>, horizon| at.is_some_and(|at| within(horizon, at, now));
        let mut most = (
            one(self.low_at, MINUTE).into(),
            one(self.crafted_at, HOUR).into(),
        );
        for destination in self.new.iter().filter_map(|it| self.by_address.get(it)) {
            most.0 = destination.new_low_ports(now).max(most.0);
            most.1 = destination.crafted_ports(now).max(most.1);
        }
        most
    }

    /// Forgets everything older than `start`, and of what has answered everything older than a day.
    pub(super) fn sweep(&mut self, start: Time, now: Time) {
        self.retain(|destination| destination.sweep(start, now - DAY));
        let by_address = &self.by_address;
        self.new.retain(|address| {
            let destination = by_address.get(address);
            destination.is_some_and(|it| it.new_low_ports(now).max(it.crafted_ports(now)) > 1)
        });
    }

    /// What failed so far counts no more.
    pub(super) fn spend(&mut self) {
        self.retain(Destination::spend);
        self.new.clear();
        self.low_at = None;
        self.crafted_at = None;
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
        while self.lacks_room(address, service) {
            let Some(&first) = self.order.iter().find(|&&(.., first)| first != address) else {
                // Not reached: all ports of a single destination have room.
                return;
            };
            self.order.remove(&first);
            self.new.remove(&first.2);
            if let Some(destination) = self.by_address.remove(&first.2) {
                self.probes -= destination.len();
                self.forgotten += destination.len() as u64;
            }
        }
    }

    fn lacks_room(&self, address: IpAddr, service: Service) -> bool {
        let [full, services_full] = [self.by_address.len() >= DESTINATIONS, self.probes >= PROBES];
        if !full && !services_full {
            return false;
        }
        match self.by_address.get(&address) {
            None => true,
            Some(known) => services_full && !known.knows(service),
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
        let tree = |entries: usize, bytes: usize| {
            entries * bytes * 11 / 5 + entries / 5 * 13 * size_of::<usize>()
        };
        let order = tree(self.order.len(), size_of::<Rank>());
        let order = order + tree(self.new.len(), size_of::<IpAddr>());
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

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;
    use crate::Transport;

    /// What the budget rests on, as it would be found by asking every destination.
    fn all(destinations: &Destinations, now: Time) -> (PerHorizon, (u32, u32)) {
        let all = || destinations.by_address.values();
        let most = |horizon: usize| all().map(|it| it.failed(now)[horizon]).max();
        let low = all().map(|it| it.new_low_ports(now)).max().unwrap_or(0);
        let crafted = all().map(|it| it.crafted_ports(now)).max().unwrap_or(0);
        ([0, 1].map(|it| most(it).unwrap_or(0)), (low, crafted))
    }

    #[test]
    fn the_most_is_that_of_all_destinations() {
        let mut destinations = Destinations::default();
        let (mut now, mut seen) = (Time::from_nanoseconds(1), [0; 4]);
        for step in 0..9000_u32 {
            let random = step.wrapping_mul(0x9e37_79b9) >> 8;
            // A destination is probed for a while, on more and more ports, and now and then nothing is.
            let address = Ipv4Addr::from(step / 40 % 37).into();
            let service = Service {
                transport: Transport::Tcp,
                port: 5000 + (random % 9 * 1000) as u16 + (step / 900) as u16,
            };
            destinations.send(address, service, now, Technique::Syn, false);
            let outcome = [Outcome::Answered, Outcome::Refused][random as usize / 16 % 2];
            destinations.reach(address, service, now, |it| it.settle(service, now, outcome));
            let pause = if step % 500 == 0 { 100_000 } else { 300 };
            now = now + Duration::from_millis(pause);
            match step % 3000 {
                1000 => destinations.sweep(now - Duration::from_secs(3700), now),
                2000 => drop(destinations.cross(address)),
                2999 => destinations.spend(),
                _ => {}
            }
            let most = (
                destinations.most_failed(now),
                destinations.most_new_ports(now),
            );
            assert_eq!(most, all(&destinations, now), "after {step} steps");
            let counts = [most.0[0], most.0[1], most.1.0, most.1.1];
            seen = [0, 1, 2, 3].map(|it| counts[it].max(seen[it]));
        }
        assert!(seen.iter().all(|&count| count > 5), "{seen:?}");
    }
}
