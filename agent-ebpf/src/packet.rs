//! What a packet is, as far as counting needs to know.

mod arp;
mod ethernet;
mod frame;
mod headers;
mod icmp;
mod ip;
mod sctp;
mod tcp;
mod udp;

use agent_common::{ParseFailure, Transport};

pub use self::{
    arp::Neighbour,
    frame::Frame,
    icmp::Quoted,
    ip::{Ip, PortPair},
    sctp::{Chunk, Sctp},
    tcp::{ACK, FIN, RST, SYN, Tcp},
    udp::Udp,
};

/// What a packet is.
#[derive(Debug)]
pub enum Packet {
    /// A TCP segment, or a first fragment with its flags.
    Tcp(Tcp),
    /// A UDP datagram, or a first fragment of one.
    Udp(Udp),
    /// An SCTP packet, or a first fragment with its first chunk's header.
    Sctp(Sctp),
    /// A first fragment that holds the ports, and not what tells whether it initiates.
    Tiny(Ip, Transport, PortPair),
    /// An ICMP or ICMPv6 echo request, or one for timestamp or address mask.
    EchoRequest(Ip),
    /// An answer to one.
    EchoReply(Ip),
    /// An unreachable, and the packet it quotes.
    Unreachable(Ip, Quoted),
    /// Any other ICMP or ICMPv6 message.
    OtherIcmp,
    /// An ARP request or a neighbour solicitation.
    Solicitation(Neighbour),
    /// An ARP reply or a neighbour advertisement.
    Advertisement(Neighbour),
    /// Another IP protocol, by number.
    Protocol(Ip, u8),
    /// A fragment but the first.
    LaterFragment,
    /// Neither IP nor ARP.
    OtherFrame,
}

/// Parses a packet.
///
/// # Errors
///
/// When a header is cut or contradicts itself.
#[inline(always)]
pub fn parse(frame: &Frame) -> Result<Packet, ParseFailure> {
    ethernet::parse(frame)
}
