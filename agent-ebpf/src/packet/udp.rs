//! UDP.

use agent_common::ParseFailure;

use super::{
    Verdicts,
    frame::Frame,
    headers::UdpHeader,
    ip::{Ip, PortPair},
};

/// A UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Udp {
    /// Between whom.
    pub ip: Ip,
    /// Their ports.
    pub ports: PortPair,
}

impl Udp {
    /// Where the payload begins.
    #[inline(always)]
    #[must_use]
    pub const fn payload_offset(&self) -> usize {
        self.ip.offset + size_of::<UdpHeader>()
    }
}

#[inline(always)]
pub(super) fn parse<V: Verdicts>(frame: &Frame, ip: Ip, verdicts: &V) -> V::Verdict {
    match ip.transport::<UdpHeader>(frame) {
        Some(udp) => verdicts.udp(
            frame,
            &Udp {
                ip,
                ports: PortPair::of(&udp.ports),
            },
        ),
        None => verdicts.failed(ParseFailure::Udp),
    }
}
