//! Whom each workload has talked to.

use std::{net::IpAddr, time::Duration};

use hashbrown::{HashMap, HashSet};

use crate::{Time, hash::hash, probes::Service};

/// Workloads that are remembered; nothing is new to others.
const WORKLOADS: usize = 1024;
/// Peers of one workload that are remembered; nothing is new to one that has more.
const PEERS: usize = 1024;

/// A destination, and a service there.
pub(crate) type Peer = (IpAddr, Service);

/// The peers of all workloads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers {
    workloads: HashMap<String, Met>,
}

/// The peers of one workload.
#[derive(Clone, Debug)]
struct Met {
    /// Since when they are learned.
    since: Time,
    /// By their hash: 1,024 of them are two chances in 10^16 to take a new one for known.
    peers: HashSet<u64>,
}

impl Peers {
    /// Forgets whom a workload has talked to.
    pub(crate) fn reset(&mut self, workload: &str) {
        self.workloads.remove(workload);
    }

    /// What was learned under one name belongs to another, unless that one has learned itself.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(met) = self.workloads.remove(from) {
            self.workloads.entry_ref(to).or_insert(met);
        }
    }

    /// The workload talks to a peer; whether it never did, as far as can be said after so long.
    pub(crate) fn meet(
        &mut self,
        workload: &str,
        peer: Peer,
        at: Time,
        learning: Duration,
        forgotten: &mut u64,
    ) -> bool {
        if self.workloads.len() == WORKLOADS && !self.workloads.contains_key(workload) {
            *forgotten += 1;
            return false;
        }
        let met = self.workloads.entry_ref(workload).or_insert_with(|| Met {
            since: at,
            peers: HashSet::new(),
        });
        let hash = hash(&peer);
        if met.peers.contains(&hash) {
            return false;
        }
        if met.peers.len() == PEERS {
            *forgotten += 1;
            return false;
        }
        met.peers.insert(hash);
        at.since(met.since) >= learning
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    const LEARNING: Duration = Duration::from_secs(100);

    fn peer(n: u16) -> Peer {
        let service = Service {
            transport: Transport::Tcp,
            port: n,
        };
        (IpAddr::from([10, 0, 0, 1]), service)
    }

    fn at(second: u64) -> Time {
        Time::from_nanoseconds(second * 1_000_000_000)
    }

    #[test]
    fn what_was_never_met_is_new_once_and_only_after_the_learning() {
        let mut peers = Peers::default();
        let mut forgotten = 0;
        let mut meet = |workload, n, second| {
            peers.meet(workload, peer(n), at(second), LEARNING, &mut forgotten)
        };
        assert!(!meet("a", 1, 0), "learned");
        assert!(!meet("a", 2, 99), "learned");
        assert!(!meet("a", 1, 100), "known");
        assert!(meet("a", 3, 100), "new");
        assert!(!meet("a", 3, 101), "known by now");
        assert!(!meet("b", 3, 101), "another workload only begins to learn");
        assert_eq!(forgotten, 0);
    }

    #[test]
    fn what_was_learned_goes_with_the_name() {
        let mut peers = Peers::default();
        let meet = |peers: &mut Peers, workload, n, second| {
            peers.meet(workload, peer(n), at(second), LEARNING, &mut 0)
        };
        meet(&mut peers, "#1.1", 1, 0);
        peers.rename("#1.1", "a");
        assert!(!meet(&mut peers, "a", 1, 100), "known");
        assert!(meet(&mut peers, "a", 2, 100), "new");
        peers.reset("a");
        assert!(!meet(&mut peers, "a", 3, 101), "learns anew");
    }

    #[test]
    fn who_talks_to_too_many_meets_nobody_new() {
        let mut peers = Peers::default();
        let mut forgotten = 0;
        let mut new = 0;
        for n in 0..2000 {
            let second = u64::from(n);
            let met = peers.meet("a", peer(n), at(second), LEARNING, &mut forgotten);
            new += u64::from(met);
        }
        assert_eq!((new, forgotten), (PEERS as u64 - 100, 2000 - PEERS as u64));
    }
}
