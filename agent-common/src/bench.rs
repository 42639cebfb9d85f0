//! What the benchmark shares with the two programs of its own.

/// The classifier that does nothing.
pub const EMPTY_PROGRAM: &str = "empty";
/// The classifier that puts the next packet in place of the one it gets, and goes on to the program at
/// index 0 of [`PROGRAMS_MAP`].
pub const CAROUSEL_PROGRAM: &str = "carousel";

/// Array of the first [`PACKET_WORDS`] words of each of [`PACKETS`] packets.
pub const PACKETS_MAP: &str = "PACKETS";
/// Array of one `u64`: packets taken so far.
pub const TAKEN_MAP: &str = "TAKEN";
/// Program array with the program that is measured.
pub const PROGRAMS_MAP: &str = "PROGRAMS";

/// Packets on the carousel; a power of two.
pub const PACKETS: u32 = 4096;
/// Words of a packet that differ from packet to packet: all its headers.
pub const PACKET_WORDS: usize = 12;
