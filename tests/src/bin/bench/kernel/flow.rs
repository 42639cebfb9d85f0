//! Who sends to whom, and the packets of it.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
};

use agent_common::{Direction, bench::PACKETS};
use anyhow::Result;
use etherparse::PacketBuilder;

/// The pod.
pub(super) const POD: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The pod over IPv6.
pub(super) const POD_V6: Ipv6Addr = v6(POD);

/// Flows of a case whose packets may pass again and again.
const ALIKE: usize = 64;
/// Hosts that a scan goes to.
const TARGETS: u32 = 16;
const PAYLOAD: [u8; 64] = [0x5a; 64];

/// Which flows the packets of a case are of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flows {
    /// Some, each with its own peer and ports.
    Alike,
    /// As many as the carousel holds, each to another port of a few hosts.
    PortScan,
    /// As many, each from another source, to one host.
    Flood {
        /// Ports of that host.
        ports: u32,
    },
}

/// What a packet is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Data,
    Ack,
    Syn,
    Udp,
}

/// A packet's endpoints.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Flow {
    source: Ipv4Addr,
    source_port: u16,
    destination: Ipv4Addr,
    port: u16,
}

impl Flows {
    /// All of them in a fixed, random order, as seen in this direction.
    pub(super) fn all(self, direction: Direction) -> Vec<Flow> {
        let mut random = Random(1);
        let mut flows = Vec::new();
        let mut ports = BTreeSet::new();
        while flows.len() < self.count() {
            let peer = Ipv4Addr::from_bits(0x0a80_0000 | random.below(1 << 23));
            let service = 1024 + random.below(31 << 10) as u16;
            let own = 32_768 + random.below(28_000) as u16;
            let (source, destination, port) = match (self, direction) {
                (Self::Alike, Direction::FromPod) => (POD, peer, service),
                (Self::Alike, Direction::ToPod) => {
                    flows.push(Flow {
                        source: peer,
                        source_port: service,
                        destination: POD,
                        port: own,
                    });
                    continue;
                }
                (Self::PortScan, _) => {
                    let port = random.below(65_536) as u16;
                    if !ports.insert(port) {
                        continue;
                    }
                    (
                        POD,
                        Ipv4Addr::from_bits(0x0aff_0000 + random.below(TARGETS)),
                        port,
                    )
                }
                (Self::Flood { ports }, _) => {
                    let host = match direction {
                        Direction::FromPod => Ipv4Addr::new(10, 255, 0, 1),
                        Direction::ToPod => POD,
                    };
                    (peer, host, (80 + random.below(ports)) as u16)
                }
            };
            flows.push(Flow {
                source,
                source_port: own,
                destination,
                port,
            });
        }
        flows
    }

    const fn count(self) -> usize {
        match self {
            Self::Alike => ALIKE,
            Self::PortScan | Self::Flood { .. } => PACKETS as usize,
        }
    }
}

impl Flow {
    /// The other way.
    pub(super) const fn reversed(self) -> Self {
        Self {
            source: self.destination,
            source_port: self.port,
            destination: self.source,
            port: self.source_port,
        }
    }

    /// A packet of it, from its Ethernet header on.
    pub(super) fn packet(self, kind: Kind, over_v6: bool) -> Result<Vec<u8>> {
        let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let ip = if over_v6 {
            ethernet.ipv6(v6(self.source).octets(), v6(self.destination).octets(), 64)
        } else {
            ethernet.ipv4(self.source.octets(), self.destination.octets(), 64)
        };
        let mut packet = Vec::new();
        if let Kind::Udp = kind {
            ip.udp(self.source_port, self.port)
                .write(&mut packet, &PAYLOAD)?;
            return Ok(packet);
        }
        // Not zero: a reset apart, a sequence number says nothing to the programs.
        let tcp = ip.tcp(self.source_port, self.port, 7, 1024);
        match kind {
            Kind::Syn => tcp.syn().write(&mut packet, &[])?,
            Kind::Data => tcp.ack(1).psh().write(&mut packet, &PAYLOAD)?,
            Kind::Ack | Kind::Udp => tcp.ack(1).write(&mut packet, &[])?,
        }
        Ok(packet)
    }
}

const fn v6(address: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = address.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, high, low)
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same flows in every run.
struct Random(u64);

impl Random {
    /// Below `bound`, nearly even.
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((value >> 32) * u64::from(bound)) >> 32) as u32
    }
}
