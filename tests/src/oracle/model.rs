//! A slot in plain words, and what every packet changes in it whichever way it goes.

use agent_common::{
    ADDRESSES, AWAITING_WORDS, CONTACT_CACHE_ENTRIES, Class, Counter, Direction, PORT_WORDS,
    PROTOCOL_WORDS, ParseFailure, PortSet, Record, SKETCH_BITS, Sample, Transport, VolumeClass,
    heard_bits, host_hash,
};

use super::packet::{Host, Packet};

/// What a program says of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Others decide (`TC_ACT_UNSPEC`).
    Pass,
    /// It is dropped (`TC_ACT_SHOT`).
    Drop,
}

pub(super) type Ports = [u64; PORT_WORDS];
pub(super) type Sketch = [u64; SKETCH_BITS / 64];

/// A set of ports with a memory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Set {
    pub(super) fresh: Ports,
    /// What is known; it may be aged between packets.
    pub window: Ports,
}

/// What the kernel tells of a super-packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gso {
    /// Its segments; 0 when nobody has counted them.
    pub segments: u32,
    /// Payload bytes of each; 0 when it is none.
    pub segment_bytes: u16,
}

impl Gso {
    /// How many packets it stands for. Uncounted segments are estimated by all bytes of the frame.
    fn packets(self, frame: &[u8]) -> u64 {
        let segments = match self {
            Self {
                segments: 0,
                segment_bytes: 1..,
            } => frame.len() as u64 / u64::from(self.segment_bytes),
            _ => self.segments.into(),
        };
        segments.max(1)
    }
}

/// All of a slot, and what the programs know beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Model {
    /// The secret seed of all hashes.
    pub seed: u64,
    /// As in the settings.
    pub records_per_drain: u64,
    /// As in the settings.
    pub samples_per_drain: u64,
    /// Whether the sample rate is 1, and not 0; at others nobody can foretell the volume.
    pub counts_volume: bool,
    /// `CLOCK_MONOTONIC`, for the lease.
    pub now_ns: u64,
    /// Records written and not yet taken; their time, slot and epoch are zero.
    pub written: Vec<Record>,
    /// Samples written and not yet taken, likewise.
    pub sampled: Vec<Sample>,
    /// Ports new to a window until a trip.
    pub budget: i64,
    /// Refusals until a trip.
    pub refusal_budget: i64,
    /// Until when the pod is contained.
    pub lease_ns: u64,
    /// Families with all their sources in `addresses`.
    pub source_families: u64,
    /// The pod's addresses.
    pub addresses: [Host; ADDRESSES],
    /// Endpoints over TCP that sent to the pod: of this turn, and of the one before.
    pub heard_tcp: [[u64; 64]; 2],
    /// Those over anything else.
    pub heard_other: [[u64; 128]; 2],
    /// What was reported of late; it may be aged between packets.
    pub contacts: [u64; CONTACT_CACHE_ENTRIES],
    /// Ports initiated to over TCP.
    pub tcp: Set,
    /// Ports initiated to over UDP and SCTP.
    pub udp: Set,
    /// Protocols initiated by; it may be aged between packets.
    pub protocols_window: [u64; PROTOCOL_WORDS],
    pub(super) records: u64,
    pub(super) samples: u64,
    /// Ports of connections that the pod opened and whose first data are to be sampled, by direction.
    pub(super) awaiting: [[u64; AWAITING_WORDS]; Direction::COUNT],
    pub(super) drained: Drained,
}

/// What a drain takes, all of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Drained {
    pub(super) initiated: [u64; Class::COUNT],
    pub(super) counters: [u64; Counter::COUNT],
    pub(super) failures: [u64; ParseFailure::COUNT],
    /// Packets and bytes.
    pub(super) volume: [[[u64; 2]; VolumeClass::COUNT]; Direction::COUNT],
    pub(super) protocols: [u64; PROTOCOL_WORDS],
    pub(super) contacted: Sketch,
    pub(super) answered: Sketch,
    pub(super) refused_hosts: Sketch,
    pub(super) probing: Sketch,
    pub(super) refused: Ports,
    pub(super) probed: Ports,
    pub(super) refusing: Ports,
}

impl Drained {
    /// Initiating packets of a class.
    #[must_use]
    pub const fn initiated(&self, class: Class) -> u64 {
        self.initiated[class as usize]
    }

    /// An exact counter.
    #[must_use]
    pub const fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// Packets that could not be parsed.
    #[must_use]
    pub const fn failures(&self, reason: ParseFailure) -> u64 {
        self.failures[reason as usize]
    }

    /// Packets one way.
    #[must_use]
    pub fn packets(&self, direction: Direction) -> u64 {
        let classes = self.volume[direction as usize].iter();
        classes.map(|[packets, _]| packets).sum()
    }

    /// Distinct ports others initiated to.
    #[must_use]
    pub fn probed(&self) -> u32 {
        count(&self.probed)
    }

    /// Distinct ports the pod refused.
    #[must_use]
    pub fn refusing(&self) -> u32 {
        count(&self.refusing)
    }

    /// Distinct protocols initiated by.
    #[must_use]
    pub fn protocols(&self) -> u32 {
        count(&self.protocols)
    }

    const fn nothing() -> Self {
        const SKETCH: Sketch = [0; SKETCH_BITS / 64];
        const PORTS: Ports = [0; PORT_WORDS];
        Self {
            initiated: [0; Class::COUNT],
            counters: [0; Counter::COUNT],
            failures: [0; ParseFailure::COUNT],
            volume: [[[0; 2]; VolumeClass::COUNT]; Direction::COUNT],
            protocols: [0; PROTOCOL_WORDS],
            contacted: SKETCH,
            answered: SKETCH,
            refused_hosts: SKETCH,
            probing: SKETCH,
            refused: PORTS,
            probed: PORTS,
            refusing: PORTS,
        }
    }
}

fn count(words: &[u64]) -> u32 {
    words.iter().map(|word| word.count_ones()).sum()
}

impl Set {
    const NOTHING: Self = Self {
        fresh: [0; PORT_WORDS],
        window: [0; PORT_WORDS],
    };

    /// Distinct ports since the last drain.
    #[must_use]
    pub fn fresh(&self) -> u32 {
        count(&self.fresh)
    }
}

impl Model {
    /// An empty slot, as user space hands one out.
    #[must_use]
    pub fn new(seed: u64, records_per_drain: u64) -> Box<Self> {
        Box::new(Self {
            seed,
            records_per_drain,
            samples_per_drain: 0,
            counts_volume: true,
            now_ns: 0,
            written: Vec::new(),
            sampled: Vec::new(),
            budget: i64::MAX,
            refusal_budget: i64::MAX,
            lease_ns: 0,
            source_families: 0,
            addresses: [[0; 4]; ADDRESSES],
            heard_tcp: [[0; 64]; 2],
            heard_other: [[0; 128]; 2],
            contacts: [0; CONTACT_CACHE_ENTRIES],
            tcp: Set::NOTHING,
            udp: Set::NOTHING,
            protocols_window: [0; PROTOCOL_WORDS],
            records: 0,
            samples: 0,
            awaiting: [[0; AWAITING_WORDS]; Direction::COUNT],
            drained: Drained::nothing(),
        })
    }

    /// What was counted since the last drain.
    #[must_use]
    pub const fn undrained(&self) -> &Drained {
        &self.drained
    }

    /// Drains the slot; records and samples wait on where they are.
    pub fn drain(&mut self) {
        self.records = 0;
        self.samples = 0;
        self.tcp.fresh = [0; PORT_WORDS];
        self.udp.fresh = [0; PORT_WORDS];
        self.drained = Drained::nothing();
    }

    /// Forgets what was heard before this turn, and begins the next.
    pub const fn turn(&mut self) {
        self.heard_tcp = [[0; 64], self.heard_tcp[0]];
        self.heard_other = [[0; 128], self.heard_other[0]];
    }

    pub(super) fn measure(
        &mut self,
        direction: Direction,
        packet: &Packet,
        gso: Gso,
        frame: &[u8],
    ) {
        let size = [gso.packets(frame), frame.len() as u64];
        if !self.counts_volume {
            return;
        }
        let class = packet.volume_class();
        let volume = &mut self.drained.volume[direction as usize][class as usize];
        for (sum, size) in volume.iter_mut().zip(size) {
            *sum += size;
        }
    }

    pub(super) const fn count(&mut self, counter: Counter) {
        self.drained.counters[counter as usize] += 1;
    }

    /// Counts what is counted alike in both directions; whether it was that.
    pub(super) const fn counts_alike(&mut self, packet: &Packet) -> bool {
        match packet {
            Packet::LaterFragment => self.count(Counter::LaterFragments),
            Packet::OtherFrame => self.count(Counter::OtherFrames),
            Packet::OtherIcmp => self.count(Counter::OtherIcmp),
            Packet::Failure(reason) => self.drained.failures[*reason as usize] += 1,
            _ => return false,
        }
        true
    }

    pub(super) fn has_heard(&self, host: Host, port: u16, transport: Transport) -> bool {
        let hash = agent_common::endpoint_hash(self.seed, &host, port, transport);
        let holds = |filter: &[u64]| {
            let (word, bits) = heard_bits(filter.len(), hash);
            filter[word] & bits == bits
        };
        match transport {
            Transport::Tcp => self.heard_tcp.iter().any(|it| holds(it)),
            _ => self.heard_other.iter().any(|it| holds(it)),
        }
    }

    /// Whether it was not heard of before.
    pub(super) fn hear(&mut self, host: Host, port: u16, transport: Transport) -> bool {
        let newly = !self.has_heard(host, port, transport);
        let hash = agent_common::endpoint_hash(self.seed, &host, port, transport);
        let current: &mut [u64] = match transport {
            Transport::Tcp => &mut self.heard_tcp[0],
            _ => &mut self.heard_other[0],
        };
        let (word, bits) = heard_bits(current.len(), hash);
        current[word] |= bits;
        newly
    }

    pub(super) const fn in_sketch(seed: u64, host: &Host) -> (usize, u64) {
        let bit = host_hash(seed, host) % SKETCH_BITS as u64;
        ((bit / 64) as usize, 1 << (bit % 64))
    }
}

/// Sets a port's bit; whether it is new.
pub(super) fn set(ports: &mut Ports, port: u16) -> bool {
    let (word, bit) = PortSet::locate(port);
    let new = ports[word] & bit == 0;
    ports[word] |= bit;
    new
}

pub(super) const fn holds(ports: &Ports, port: u16) -> bool {
    let (word, bit) = PortSet::locate(port);
    ports[word] & bit != 0
}
