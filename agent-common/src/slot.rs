//! A slot: all that is counted of one watched interface.

use core::sync::atomic::{AtomicI64, AtomicU64};

use crate::PortSet;

/// Entries of the contact cache of a slot; a power of two.
pub const CONTACT_CACHE_ENTRIES: usize = 512;

/// Bit of a contact cache entry: the contact was reported.
pub const CONTACTED: u64 = 1;
/// Bit of a contact cache entry: an answer was reported.
pub const ANSWERED: u64 = 1 << 1;
/// Bit of a contact cache entry: a refusal was reported.
pub const REFUSED: u64 = 1 << 2;

/// Which way a packet crosses the pod's veth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// Sent by the pod.
    FromPod = 0,
    /// On its way to the pod.
    ToPod = 1,
}

impl Direction {
    /// How many there are.
    pub const COUNT: usize = 2;
}

/// Packets and bytes of one direction: estimates, from sampled packets scaled by the sample rate.
#[repr(C)]
#[derive(Debug)]
pub struct Volume {
    /// Packets, GSO segments counted.
    pub packets: AtomicU64,
    /// Bytes, link layer included; the headers of a GSO super-packet are counted once.
    pub bytes: AtomicU64,
}

/// Exact counters of a slot, by index into [`Slot::counters`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counter {
    /// Initiating TCP packets the pod sent.
    Initiated = 0,
    /// TCP answers (SYN-ACK) to the pod.
    Answered = 1,
    /// Refusals of initiating packets: TCP resets and ICMP unreachables to the pod.
    Refused = 2,
    /// Records that the ring buffer or the slot's cap had no room for.
    RecordsDropped = 3,
    /// Later fragments, which carry no ports.
    Fragments = 4,
    /// Packets of protocols without a set of their own.
    Other = 5,
    /// Ports that were new to the initiated window: what the kernel itself counted as first seen.
    NewPorts = 6,
}

impl Counter {
    /// How many there are.
    pub const COUNT: usize = 7;
}

/// Why a packet could not be parsed, by index into [`Slot::parse_failures`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParseFailure {
    /// The Ethernet header or its VLAN tags are cut, or there are more than two tags.
    Ethernet = 0,
    /// The IPv4 header is cut or contradicts itself.
    Ipv4 = 1,
    /// The IPv6 header or its extension headers are cut.
    Ipv6 = 2,
    /// More IPv6 extension headers than the programs follow.
    Ipv6Chain = 3,
    /// The TCP header is cut.
    Tcp = 4,
    /// The ICMP header or the packet it quotes is cut.
    Icmp = 5,
}

impl ParseFailure {
    /// How many there are.
    pub const COUNT: usize = 6;
}

/// All that is counted of one watched interface.
///
/// User space assigns it before the programs are attached, and alone decides which interface it
/// belongs to; traffic only changes what is inside. Both sides use atomic operations.
#[repr(C)]
#[derive(Debug)]
pub struct Slot {
    /// Interface index of the host side of the pod's veth.
    pub ifindex: AtomicU64,
    /// Counts up each time the slot is assigned; tells reuses of one `ifindex` apart.
    pub epoch: AtomicU64,
    /// Ports new to `initiated.window` until a trip; user space sets it from its thresholds.
    pub budget: AtomicI64,
    /// Ports new to `refused.window` until a trip.
    pub refusal_budget: AtomicI64,
    /// Records offered to the ring buffer since the last drain.
    pub records: AtomicU64,
    /// Exact counters, by [`Counter`].
    pub counters: [AtomicU64; Counter::COUNT],
    /// Packets that could not be parsed, by [`ParseFailure`].
    pub parse_failures: [AtomicU64; ParseFailure::COUNT],
    /// Estimated traffic, by [`Direction`].
    pub volume: [Volume; Direction::COUNT],
    /// Destination ports the pod initiated to over TCP.
    pub initiated: Ports,
    /// Destination ports that refused it over TCP.
    pub refused: Ports,
    /// Recently reported pairs of peer and port, by hash: see [`contact_tag`].
    pub contacts: [AtomicU64; CONTACT_CACHE_ENTRIES],
}

/// Two sets with two jobs.
#[repr(C)]
#[derive(Debug)]
pub struct Ports {
    /// Seen since the last drain, which swaps its words for zero.
    pub fresh: PortSet,
    /// Already known; user space clears bits as they age out.
    pub window: PortSet,
}

/// Bits of a contact cache entry that tell what was reported; the rest is its [`contact_tag`].
pub const REPORTED_MASK: u64 = CONTACTED | ANSWERED | REFUSED;

/// Index into [`Slot::contacts`] and the entry for a pair of peer and port, with nothing reported.
///
/// Every bit of the result depends on every bit of the input and of the
/// secret seed (the finalizer of MurmurHash3), so that a pod cannot aim at an entry.
#[inline(always)]
#[must_use]
pub const fn contact_tag(seed: u64, peer: &[u32; 4], port: u16) -> (usize, u64) {
    let low = (peer[0] as u64) << 32 | peer[1] as u64;
    let high = (peer[2] as u64) << 32 | peer[3] as u64;
    let hash = mix(mix(mix(low ^ seed) ^ high) ^ port as u64);
    (
        (hash >> 32) as usize & (CONTACT_CACHE_ENTRIES - 1),
        hash & !REPORTED_MASK,
    )
}

#[inline(always)]
const fn mix(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^= value >> 33;
    value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ value >> 33
}
