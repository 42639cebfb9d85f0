//! Who takes part in a capture, and so which side of it is most likely the pod.

use std::net::IpAddr;

use hashbrown::{HashMap, hash_map::Entry};

use super::{
    frame::{Addresses, Mac},
    side::PodAddress,
};

/// Floods of forged sources must not fill the memory; whoever comes later is in few packets.
const MOST_MACS: usize = 4096;
const MOST_HOSTS: usize = 65_536;
const MOST_HOSTS_OF_ONE: usize = 256;

/// Counts of all packets.
#[derive(Debug, Default)]
pub(super) struct Census {
    packets: u64,
    /// Those from one station to one other: whoever is in all of them is an end of the wire, but calls to
    /// all are heard on every wire of a bridge.
    between: u64,
    macs: HashMap<Mac, Station>,
    hosts: HashMap<IpAddr, Part>,
}

/// How much of the capture is one's own.
#[derive(Clone, Copy, Debug)]
struct Part {
    packets: u64,
    /// When it first spoke to another host, in packets; the largest number when it never did.
    first_sent: u64,
}

/// One interface on the wire, and the hosts behind it.
#[derive(Debug, Default)]
struct Station {
    part: Part,
    /// Destinations of what it was sent, and sources of what it sent.
    reached: HashMap<IpAddr, u64>,
    claimed: HashMap<IpAddr, u64>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            packets: 0,
            first_sent: u64::MAX,
        }
    }
}

impl Census {
    pub(super) fn count(&mut self, packet: &Addresses) {
        self.packets += 1;
        let (source, destination) = packet.macs;
        let hosts = packet.hosts;
        // Whoever resolves addresses may do so on his own behalf, or to deliver what others sent.
        let speaks = !packet.asks
            && hosts.is_some_and(|(source, destination)| is_host(source) && is_host(destination));
        let between = source != destination && destination[0] & 1 == 0;
        self.between += u64::from(between);
        let ends = [(source, true), (destination, false)];
        for (mac, sends) in ends.into_iter().filter(|_| between) {
            if let Some(station) = within(&mut self.macs, mac, MOST_MACS) {
                station.part.count(sends && speaks, self.packets);
                let (hosts, host) = if sends {
                    (&mut station.claimed, hosts.map(|(source, _)| source))
                } else {
                    (
                        &mut station.reached,
                        hosts.map(|(_, destination)| destination),
                    )
                };
                if let Some(count) = host.and_then(|host| within(hosts, host, MOST_HOSTS_OF_ONE)) {
                    *count += 1;
                }
            }
        }
        for (host, sends) in hosts.iter().flat_map(|&(a, b)| [(a, true), (b, false)]) {
            if is_host(host)
                && let Some(part) = within(&mut self.hosts, host, MOST_HOSTS)
            {
                part.count(sends && speaks, self.packets);
            }
        }
    }

    /// The pod, most likely: of those in (nearly) all packets the one with the fewest addresses, which
    /// tells it from a gateway; of several the one who spoke first.
    pub(super) fn pod(&self) -> Option<PodAddress> {
        let most = self.macs.values().map(|it| it.part.packets).max();
        if let Some(most) = most.filter(|most| most * 2 > self.between) {
            let present = self
                .macs
                .iter()
                .filter(|(_, station)| station.part.packets * 10 >= most * 9);
            let pod = present
                .min_by_key(|&(mac, station)| (station.addresses(), station.part.first_sent, *mac));
            return pod.map(|(mac, _)| PodAddress::Mac(*mac));
        }
        let pod = self
            .hosts
            .iter()
            .max_by_key(|&(host, part)| (part.packets, u64::MAX - part.first_sent, *host));
        pod.map(|(host, _)| PodAddress::Ip(*host))
    }

    /// Its own IP addresses, one of each family: those it is reached at, or else those it claims.
    pub(super) fn addresses(&self, pod: PodAddress) -> Vec<IpAddr> {
        let mac = match pod {
            PodAddress::Ip(address) => return vec![address],
            PodAddress::Mac(mac) => mac,
        };
        let Some(station) = self.macs.get(&mac) else {
            return Vec::new();
        };
        let most = |hosts: &HashMap<IpAddr, u64>, v4: bool| {
            let own = hosts
                .iter()
                .filter(|(host, _)| is_host(**host) && host.is_ipv4() == v4);
            own.max_by_key(|&(host, count)| (*count, *host))
                .map(|(host, _)| *host)
        };
        [true, false]
            .into_iter()
            .filter_map(|v4| most(&station.reached, v4).or_else(|| most(&station.claimed, v4)))
            .collect()
    }
}

impl Part {
    fn count(&mut self, speaks: bool, now: u64) {
        self.packets += 1;
        if speaks {
            self.first_sent = self.first_sent.min(now);
        }
    }
}

impl Station {
    fn addresses(&self) -> usize {
        let of = |v4: bool| {
            let hosts = self.reached.keys().filter(|host| is_host(**host));
            hosts.filter(|host| host.is_ipv4() == v4).count()
        };
        of(true).max(of(false)).max(1)
    }
}

/// Whether it may be the address of a pod.
fn is_host(address: IpAddr) -> bool {
    let local = match address {
        IpAddr::V4(address) => address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(local || address.is_multicast() || address.is_unspecified())
}

/// The value of `key`, unless it is new and there are as many as there may be.
fn within<K: Eq + std::hash::Hash, V: Default>(
    map: &mut HashMap<K, V>,
    key: K,
    most: usize,
) -> Option<&mut V> {
    let full = map.len() >= most;
    match map.entry(key) {
        Entry::Occupied(entry) => Some(entry.into_mut()),
        Entry::Vacant(entry) => (!full).then(|| entry.insert(V::default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: Mac = [2, 0, 0, 0, 0, 1];
    const GATEWAY: Mac = [0xee; 6];
    const NONE: Mac = [0; 6];

    fn host(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn census(packets: &[(Mac, Mac, u8, u8)]) -> Census {
        let mut census = Census::default();
        for &(from, to, source, destination) in packets {
            census.count(&Addresses {
                macs: (from, to),
                hosts: Some((host(source), host(destination))),
                asks: false,
            });
        }
        census
    }

    #[test]
    fn a_gateway_is_told_from_the_pod_behind_it() {
        let census = census(&[
            (GATEWAY, POD, 9, 1),
            (POD, GATEWAY, 1, 9),
            (POD, GATEWAY, 1, 8),
        ]);
        assert_eq!(census.pod(), Some(PodAddress::Mac(POD)));
        assert_eq!(census.addresses(PodAddress::Mac(POD)), [host(1)]);
    }

    #[test]
    fn forged_sources_do_not_hide_the_pod() {
        let target = [2, 0, 0, 0, 0, 2];
        let census = census(&[
            (POD, target, 1, 2),
            (POD, target, 77, 2),
            (POD, target, 78, 2),
            (target, POD, 2, 1),
        ]);
        assert_eq!(census.pod(), Some(PodAddress::Mac(POD)));
        assert_eq!(census.addresses(PodAddress::Mac(POD)), [host(1)]);
    }

    #[test]
    fn a_station_that_calls_all_the_time_is_not_the_pod() {
        let all = [0xff; 6];
        let census = census(&[
            (GATEWAY, all, 9, 7),
            (GATEWAY, all, 9, 8),
            (POD, GATEWAY, 1, 9),
            (POD, [2, 0, 0, 0, 0, 2], 1, 2),
            (POD, [2, 0, 0, 0, 0, 3], 1, 3),
        ]);
        assert_eq!(census.pod(), Some(PodAddress::Mac(POD)));
    }

    #[test]
    fn of_two_alike_the_first_to_speak_is_the_pod() {
        let other = [2, 0, 0, 0, 0, 2];
        let census = census(&[(other, POD, 2, 1), (POD, other, 1, 2)]);
        assert_eq!(census.pod(), Some(PodAddress::Mac(other)));
    }

    #[test]
    fn without_ethernet_the_address_in_most_packets_is_the_pod() {
        let census = census(&[(NONE, NONE, 9, 1), (NONE, NONE, 1, 8), (NONE, NONE, 1, 7)]);
        assert_eq!(census.pod(), Some(PodAddress::Ip(host(1))));
        assert_eq!(Census::default().pod(), None);
    }
}
