//! What the network layer says of a transport header.

use super::packet::Host;

/// A transport header and what the network says of it.
#[derive(Clone, Copy)]
pub(super) struct Datagram {
    pub(super) source: Host,
    pub(super) destination: Host,
    pub(super) protocol: u8,
    pub(super) is_v6: bool,
    /// Whether it is the first of several fragments.
    pub(super) first: bool,
    /// Where the transport header begins.
    pub(super) at: usize,
    /// Bytes from there to the end of the datagram.
    pub(super) available: usize,
}
