//! UDP.

use agent_common::ParseFailure;

use super::{
    Packet,
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
pub(super) fn parse(frame: &Frame, ip: Ip) -> Result<Packet, ParseFailure> {
    let udp = ip.transport::<UdpHeader>(frame).ok_or(ParseFailure::Udp)?;
    Ok(Packet::Udp(Udp {
        ip,
        ports: PortPair::of(&udp.ports),
    }))
}
