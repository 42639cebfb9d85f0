//! What the kernel programs tell of single packets.

/// What a [`Record`] tells.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordKind {
    /// The pod initiated to this destination and port, for the first time in a while.
    Contact = 1,
    /// The destination answered from this port.
    Answer = 2,
    /// The destination refused this port, by TCP reset, SCTP abort or ICMP unreachable.
    Refusal = 3,
    /// A budget was spent by this packet: read the slot now.
    Trip = 4,
}

impl RecordKind {
    /// The kind that `byte` stands for, if any.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Contact),
            2 => Some(Self::Answer),
            3 => Some(Self::Refusal),
            4 => Some(Self::Trip),
            _ => None,
        }
    }
}

/// One record, always seen from the pod: `pod` and `pod_port` are its side, `peer` and `port` the other.
///
/// 64 bytes without implicit padding. Addresses are IPv6, IPv4 ones mapped (`::ffff:a.b.c.d`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Record {
    /// Nanoseconds of `CLOCK_MONOTONIC` at which the packet passed.
    pub time_ns: u64,
    /// Index of the slot.
    pub slot: u32,
    /// [`Slot::epoch`](crate::Slot::epoch) of the slot when the record was written.
    pub epoch: u32,
    /// The pod's address in the packet.
    pub pod: [u8; 16],
    /// The other side's address.
    pub peer: [u8; 16],
    /// The other side's port, in host order; see [`Transport`](crate::Transport).
    pub port: u16,
    /// The pod's port, in host order; 0 where the transport has none.
    pub pod_port: u16,
    /// A [`RecordKind`].
    pub kind: u8,
    /// A [`Transport`](crate::Transport): of the probe, also when ICMP refused it.
    pub transport: u8,
    /// A [`Class`](crate::Class) for a contact or a trip by one; 0 for an outcome.
    pub class: u8,
    /// TCP flags of the packet; 0 where it is not TCP.
    pub tcp_flags: u8,
    /// TCP data offset in 32-bit words; 0 where the packet is not TCP, or too short to tell.
    pub tcp_words: u8,
    /// 1 when the pod's address in the packet is none of its own, see [`Slot::addresses`](crate::Slot::addresses).
    pub spoofed: u8,
    /// 1 when the packet was dropped because the pod is contained.
    pub contained: u8,
    /// Zero.
    pub reserved: u8,
    /// [`ring_sequence`](crate::ring_sequence) of where it lies; zero while it is being written.
    pub sequence: u32,
}

impl Record {
    /// Words of 64 bits that a record takes.
    pub const WORDS: usize = 8;

    /// Reads a record from the bytes the programs wrote.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; 8 * Self::WORDS]) -> Self {
        Self {
            time_ns: u64::from_ne_bytes(part(bytes, 0)),
            slot: u32::from_ne_bytes(part(bytes, 8)),
            epoch: u32::from_ne_bytes(part(bytes, 12)),
            pod: part(bytes, 16),
            peer: part(bytes, 32),
            port: u16::from_ne_bytes(part(bytes, 48)),
            pod_port: u16::from_ne_bytes(part(bytes, 50)),
            kind: bytes[52],
            transport: bytes[53],
            class: bytes[54],
            tcp_flags: bytes[55],
            tcp_words: bytes[56],
            spoofed: bytes[57],
            contained: bytes[58],
            reserved: bytes[59],
            sequence: u32::from_ne_bytes(part(bytes, 60)),
        }
    }
}

const fn part<const N: usize>(bytes: &[u8; 64], start: usize) -> [u8; N] {
    let mut part = [0; N];
    let mut index = 0;
    while index < N {
        part[index] = bytes[start + index];
        index += 1;
    }
    part
}

const _: () = assert!(size_of::<Record>() == 64, "the record has implicit padding");
