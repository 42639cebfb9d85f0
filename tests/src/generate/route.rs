//! From whom to whom a packet goes.

use agent_common::Direction;
use fastrand::Rng;

use super::pool::{self, Address};

/// From whom to whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) is_v6: bool,
}

impl Route {
    pub(super) fn random(rng: &mut Rng, direction: Direction) -> Self {
        let is_v6 = rng.bool();
        let (pod, peer) = (pool::of_pod(rng, is_v6), pool::of_peer(rng, is_v6));
        let (source, destination) = match direction {
            Direction::FromPod => (pod, peer),
            Direction::ToPod => (peer, pod),
        };
        Self {
            source,
            destination,
            is_v6,
        }
    }

    pub(super) const fn back(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            is_v6: self.is_v6,
        }
    }
}
