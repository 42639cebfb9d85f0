//! Packets of every kind the programs know, whole and broken: reproducible from a seed.
//!
//! Hosts and ports are few, and many packets answer earlier ones, so that all that a slot remembers matters.

mod carried;
mod mutate;
mod network;
mod pool;
mod route;

use agent_common::Direction;
use fastrand::Rng;

use self::{carried::Carried, network::frame, route::Route};

/// Sent packets that later ones may answer.
const REMEMBERED: usize = 64;
/// The kernel takes no more (include/linux/netdevice.h).
const GSO_MAX_SEGS: u32 = 65_535;

/// A packet, and how it is to be run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Generated {
    /// Which way it crosses the veth.
    pub direction: Direction,
    /// The packet, long enough for BPF_PROG_TEST_RUN.
    pub frame: Vec<u8>,
    /// As GSO counts them; 0 when it is no super-packet.
    pub segments: u32,
    /// Payload bytes of each; also told of a super-packet whose segments nobody has counted.
    pub segment_bytes: u16,
    /// Whether the pod sent it to itself.
    pub hairpin: bool,
}

/// Yields packets for ever.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    sent: Vec<Sent>,
}

/// What an answer needs to know of a packet.
#[derive(Clone, Debug)]
struct Sent {
    direction: Direction,
    route: Route,
    carried: Carried,
    /// From its IP header on.
    packet: Vec<u8>,
}

impl Generator {
    /// The same packets for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            sent: Vec::with_capacity(REMEMBERED),
        }
    }

    /// The randomness behind the packets, for what happens between them.
    pub const fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
}

impl Iterator for Generator {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        let direction = if self.rng.bool() {
            Direction::FromPod
        } else {
            Direction::ToPod
        };
        let answered = self.answered(direction);
        let (route, carried) = match &answered {
            Some(sent) if self.rng.u8(..4) > 0 => {
                let route = sent.route.back();
                (
                    route,
                    sent.carried.answer(&mut self.rng, &route, &sent.packet),
                )
            }
            _ => {
                let route = Route::random(&mut self.rng, direction);
                let quotes = answered.as_ref().filter(|it| it.route.is_v6 == route.is_v6);
                let quoted = quotes.map_or(&[][..], |it| &it.packet);
                (route, Carried::random(&mut self.rng, &route, quoted))
            }
        };
        let mut frame = frame(&mut self.rng, &route, &carried);
        self.remember(Sent {
            direction,
            route,
            packet: frame[14..].to_vec(),
            carried,
        });
        if self.rng.u8(..4) == 0 {
            mutate::mutate(&mut self.rng, &mut frame);
        }
        mutate::lengthen(&mut frame);
        Some(Generated {
            direction,
            frame,
            segments: match self.rng.u8(..20) {
                0 => self.rng.u32(..64),
                1 => self.rng.u32(..=GSO_MAX_SEGS),
                _ => 0,
            },
            segment_bytes: match self.rng.u8(..20) {
                0 => self.rng.u16(..64),
                1 => self.rng.u16(..),
                _ => 0,
            },
            hairpin: direction == Direction::ToPod && self.rng.u8(..50) == 0,
        })
    }
}

impl Generator {
    /// A packet of the other direction, to be answered.
    fn answered(&mut self, direction: Direction) -> Option<Sent> {
        if self.sent.is_empty() || self.rng.bool() {
            return None;
        }
        let sent = &self.sent[self.rng.usize(..self.sent.len())];
        (sent.direction != direction).then(|| sent.clone())
    }

    fn remember(&mut self, sent: Sent) {
        if self.sent.len() < REMEMBERED {
            self.sent.push(sent);
        } else {
            self.sent[self.rng.usize(..REMEMBERED)] = sent;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::oracle::parse;

    #[test]
    fn a_seed_yields_the_same_packets_always() {
        let packets = |seed| Generator::new(seed).take(1_000).collect::<Vec<_>>();
        assert_eq!(packets(1), packets(1));
        assert_ne!(packets(1), packets(2));
    }

    /// Without this, an agreement about the packets would say nothing of those that are never made.
    #[test]
    fn every_kind_of_packet_and_of_failure_is_made_often() {
        const KINDS: usize = 15 + agent_common::ParseFailure::COUNT;
        let mut kinds = BTreeMap::<String, u32>::new();
        for packet in Generator::new(1).take(50_000) {
            let text = format!("{:?}", parse(&packet.frame));
            let name = if text.starts_with("Failure") {
                text
            } else {
                text.split('(').next().unwrap().to_owned()
            };
            *kinds.entry(name).or_default() += 1;
        }
        assert_eq!(kinds.len(), KINDS, "{kinds:?}");
        assert!(kinds.values().all(|&count| count > 50), "{kinds:?}");
    }
}
