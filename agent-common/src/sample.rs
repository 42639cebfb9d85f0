//! Samples of payload for the detectors that need to read it.

/// Payload bytes of a [`Sample`] at most.
pub const SAMPLE_BYTES: usize = 192;

/// Size of the ring buffer of samples.
pub const SAMPLES_BYTES: u32 = 64 << 10;

/// Why a payload is sampled.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SampleKind {
    /// A datagram from or to UDP port 53.
    Dns = 0,
    /// The first data the pod sent on a TCP connection it opened.
    FirstSent = 1,
    /// The first data it received on one.
    FirstReceived = 2,
}

impl SampleKind {
    /// The kind that `byte` stands for, if any.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Dns),
            1 => Some(Self::FirstSent),
            2 => Some(Self::FirstReceived),
            _ => None,
        }
    }
}

/// The beginning of a payload, seen from the pod as a [`Record`](crate::Record) is.
///
/// 256 bytes without implicit padding.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sample {
    /// Nanoseconds of `CLOCK_MONOTONIC` at which the packet passed.
    pub time_ns: u64,
    /// Index of the slot.
    pub slot: u32,
    /// [`Slot::epoch`](crate::Slot::epoch) of the slot when the sample was written.
    pub epoch: u32,
    /// The pod's address in the packet.
    pub pod: [u8; 16],
    /// The other side's address.
    pub peer: [u8; 16],
    /// The other side's port, in host order.
    pub port: u16,
    /// The pod's port, in host order.
    pub pod_port: u16,
    /// A [`SampleKind`].
    pub kind: u8,
    /// A [`Direction`](crate::Direction).
    pub direction: u8,
    /// Bytes of `payload` that were copied.
    pub length: u16,
    /// Bytes the payload had, as far as the packet's headers tell.
    pub payload_bytes: u32,
    /// Zero.
    pub reserved: u32,
    /// The payload, zeros behind `length`.
    pub payload: [u8; SAMPLE_BYTES],
}

impl Sample {
    /// Reads a sample from the bytes the programs wrote.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; 256]) -> Self {
        Self {
            time_ns: u64::from_ne_bytes(part(bytes, 0)),
            slot: u32::from_ne_bytes(part(bytes, 8)),
            epoch: u32::from_ne_bytes(part(bytes, 12)),
            pod: part(bytes, 16),
            peer: part(bytes, 32),
            port: u16::from_ne_bytes(part(bytes, 48)),
            pod_port: u16::from_ne_bytes(part(bytes, 50)),
            kind: bytes[52],
            direction: bytes[53],
            length: u16::from_ne_bytes(part(bytes, 54)),
            payload_bytes: u32::from_ne_bytes(part(bytes, 56)),
            reserved: u32::from_ne_bytes(part(bytes, 60)),
            payload: part(bytes, 64),
        }
    }
}

const fn part<const N: usize>(bytes: &[u8; 256], start: usize) -> [u8; N] {
    let mut part = [0; N];
    let mut index = 0;
    while index < N {
        part[index] = bytes[start + index];
        index += 1;
    }
    part
}

const _: () = assert!(
    size_of::<Sample>() == 256,
    "the sample has implicit padding"
);
