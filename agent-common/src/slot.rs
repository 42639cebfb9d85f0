//! A slot: all that is counted of one watched interface.

use core::sync::atomic::{AtomicI64, AtomicU64};

use crate::{Class, Counter, Heard, ParseFailure, PortSet, Ports};

/// Entries of the contact cache of a slot; a power of two.
pub const CONTACT_CACHE_ENTRIES: usize = 256;

/// Bit of a contact cache entry: the contact was reported.
pub const CONTACTED: u64 = 1;
/// Bit of a contact cache entry: an answer was reported.
pub const ANSWERED: u64 = 1 << 1;
/// Bit of a contact cache entry: a refusal was reported.
pub const REFUSED: u64 = 1 << 2;
/// Bits of a contact cache entry that tell what was reported; the rest is of the endpoint's hash.
pub const REPORTED_MASK: u64 = CONTACTED | ANSWERED | REFUSED;

/// Index into [`Slot::contacts`] and the entry, with nothing reported, of an endpoint with this
/// [`endpoint_hash`](crate::endpoint_hash).
#[inline(always)]
#[must_use]
pub const fn contact_entry(hash: u64) -> (usize, u64) {
    (
        (hash >> 32) as usize & (CONTACT_CACHE_ENTRIES - 1),
        hash & !REPORTED_MASK,
    )
}

/// Addresses a slot knows its pod by, at most.
pub const ADDRESSES: usize = 4;
/// Bit of [`Slot::source_families`]: an IPv4 source that is not in [`Slot::addresses`] is spoofed.
pub const SOURCES_V4: u64 = 1;
/// Bit of [`Slot::source_families`]: the same for IPv6.
pub const SOURCES_V6: u64 = 1 << 1;

/// Bits of a host sketch.
pub const SKETCH_BITS: usize = 1024;

/// Words of a set of 256 IP protocols.
pub const PROTOCOL_WORDS: usize = 4;

/// Words of [`Slot::awaiting`], for one direction.
pub const AWAITING_WORDS: usize = 8;

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

/// Packets and bytes of one direction and class: estimates, from sampled packets scaled by the sample rate.
#[repr(C)]
#[derive(Debug)]
pub struct Volume {
    /// Packets, GSO segments counted.
    pub packets: AtomicU64,
    /// Bytes, link layer included; the headers of a GSO super-packet are counted once.
    pub bytes: AtomicU64,
}

/// What volume is told apart by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VolumeClass {
    /// TCP.
    Tcp = 0,
    /// UDP.
    Udp = 1,
    /// ICMP and ICMPv6.
    Icmp = 2,
    /// Anything else: other protocols and frames, later fragments, and what could not be parsed.
    Other = 3,
}

impl VolumeClass {
    /// How many there are.
    pub const COUNT: usize = 4;
}

/// Linear counters (Whang, Vander-Zanden and Taylor, 1990) of hosts since the last drain, which swaps
/// their words for zero: bit [`host_hash`](crate::host_hash) modulo [`SKETCH_BITS`].
#[repr(C)]
#[derive(Debug)]
pub struct Hosts {
    /// Hosts the pod initiated to, by any [`Class`].
    pub contacted: [AtomicU64; SKETCH_BITS / 64],
    /// Hosts that answered it.
    pub answered: [AtomicU64; SKETCH_BITS / 64],
    /// Hosts that refused it.
    pub refused: [AtomicU64; SKETCH_BITS / 64],
    /// Hosts that initiated to a port of the pod.
    pub probing: [AtomicU64; SKETCH_BITS / 64],
}

/// Numbers of IP protocols the pod initiated by: bit `n % 64` of word `n / 64`.
#[repr(C)]
#[derive(Debug)]
pub struct Protocols {
    /// Seen since the last drain, which swaps its words for zero.
    pub fresh: [AtomicU64; PROTOCOL_WORDS],
    /// Already known; user space clears it in a minute's turn.
    pub window: [AtomicU64; PROTOCOL_WORDS],
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
    /// Ports new to a window until a trip; user space sets it from its thresholds.
    pub budget: AtomicI64,
    /// Refusals of contacts, each once, until a trip.
    pub refusal_budget: AtomicI64,
    /// Until when the pod is contained, in nanoseconds of `CLOCK_MONOTONIC`; 0 when it is not.
    pub lease_ns: AtomicU64,
    /// For how long a trip contains the pod, until user space has judged it; 0 when a trip does not.
    pub hold_ns: AtomicU64,
    /// Until when the last trip does.
    pub held_until_ns: AtomicU64,
    /// Which families have all their sources in `addresses`: [`SOURCES_V4`], [`SOURCES_V6`].
    pub source_families: AtomicU64,
    /// Not 0 when the interface is an uplink of the node, and what is counted is the node's own: the programs
    /// are attached the other way round, and what only passes through the node is nobody's.
    pub uplink: AtomicU64,
    /// The pod's addresses, in words as in a packet, IPv4 mapped; `::` where there is none.
    pub addresses: [[AtomicU64; 2]; ADDRESSES],
    /// Records offered to the ring buffer since the last drain.
    pub records: AtomicU64,
    /// Samples offered to their ring buffer since the last drain.
    pub samples: AtomicU64,
    /// Initiating packets, retries included, by [`Class`].
    pub initiated_packets: [AtomicU64; Class::COUNT],
    /// Exact counters, by [`Counter`].
    pub counters: [AtomicU64; Counter::COUNT],
    /// Packets that could not be parsed, by [`ParseFailure`].
    pub parse_failures: [AtomicU64; ParseFailure::COUNT],
    /// Estimated traffic, by [`Direction`] and [`VolumeClass`].
    pub volume: [[Volume; VolumeClass::COUNT]; Direction::COUNT],
    /// Connections the pod opened whose first data is to be sampled, by [`Direction`]: bit
    /// `port % (64 * AWAITING_WORDS)` of the pod's port.
    pub awaiting: [[AtomicU64; AWAITING_WORDS]; Direction::COUNT],
    /// IP protocols the pod initiated by, other than those with ports and ICMP.
    pub protocols: Protocols,
    /// Sketches of hosts.
    pub hosts: Hosts,
    /// TCP endpoints that sent to the pod of late.
    pub heard_tcp: Heard<64>,
    /// Endpoints of other transports that sent to the pod of late.
    pub heard_other: Heard<128>,
    /// Recently reported contacts and what was reported of them: see [`contact_entry`].
    pub contacts: [AtomicU64; CONTACT_CACHE_ENTRIES],
    /// Destination ports the pod initiated to over TCP.
    pub tcp: Ports,
    /// Destination ports the pod initiated to over UDP or SCTP.
    pub udp: Ports,
    /// Destination ports that refused it, over any of the three, since the last drain.
    pub refused: PortSet,
    /// Ports of the pod that others initiated to, over any of the three, since the last drain.
    pub probed: PortSet,
    /// Ports of the pod that refused, over any of the three, since the last drain.
    pub refusing: PortSet,
}

const _: () = assert!(
    size_of::<Slot>() <= 63_800,
    "250 slots, and what is beside them, would not fit into 16 MiB"
);
