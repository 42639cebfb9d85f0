//! TCP: who initiates, who answers, who refuses.

use agent_common::ParseFailure;
use aya_ebpf::programs::TcContext;

use super::{
    headers::{TcpHeader, header, port},
    ip::Ip,
};

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// A TCP segment.
pub(crate) struct Tcp {
    pub(crate) source: [u32; 4],
    pub(crate) destination: [u32; 4],
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) flags: u8,
    /// Data offset in 32-bit words.
    pub(crate) words: u8,
    first_sequence: bool,
}

impl Tcp {
    /// Whether it opens a conversation: a SYN, or a probe without any flag of an open one.
    #[inline(always)]
    pub(crate) const fn initiates(&self) -> bool {
        self.flags & (ACK | RST) == 0
    }

    /// Whether it accepts a SYN.
    #[inline(always)]
    pub(crate) const fn answers(&self) -> bool {
        self.flags & (SYN | ACK | RST) == SYN | ACK
    }

    /// Whether it refuses a segment that had no ACK.
    ///
    /// Such a reset has sequence number zero and acknowledges (RFC 9293, 3.10.7.1); one that ends an
    /// established connection has the connection's own sequence number.
    #[inline(always)]
    pub(crate) const fn refuses(&self) -> bool {
        self.flags & (SYN | ACK | RST) == RST | ACK && self.first_sequence
    }
}

#[inline(always)]
pub(crate) fn parse(ctx: &TcContext, ip: &Ip) -> Result<Tcp, ParseFailure> {
    let tcp = header::<TcpHeader>(ctx, ip.offset).ok_or(ParseFailure::Tcp)?;
    let (source, destination) = ip.addresses(ctx).ok_or(ParseFailure::Tcp)?;
    Ok(Tcp {
        source,
        destination,
        source_port: port(tcp.ports.source),
        destination_port: port(tcp.ports.destination),
        flags: tcp.flags,
        words: tcp.words >> 4,
        first_sequence: tcp.sequence[0] | tcp.sequence[1] == 0,
    })
}
