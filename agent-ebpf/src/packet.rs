//! What a packet is, as far as counting needs to know.

mod arp;
mod ethernet;
mod frame;
mod headers;
mod icmp;
mod ip;
mod network;
mod sctp;
mod tcp;
mod udp;

use agent_common::{ParseFailure, Transport};

pub use self::{
    arp::Neighbour,
    ethernet::parse,
    frame::Frame,
    icmp::Quoted,
    ip::{Ip, PortPair},
    sctp::{Chunk, Sctp},
    tcp::{ACK, FIN, RST, SYN, Tcp},
    udp::Udp,
};

/// What happens to each kind of packet.
///
/// The parser calls one of these rather than return a value of many variants: what it knows of a packet
/// stays in registers, and each case is compiled for its own.
pub trait Verdicts {
    /// What becomes of a packet.
    type Verdict;

    /// A TCP segment, or a first fragment with its flags.
    fn tcp(&self, frame: &Frame, tcp: &Tcp) -> Self::Verdict;
    /// A UDP datagram, or a first fragment of one.
    fn udp(&self, frame: &Frame, udp: &Udp) -> Self::Verdict;
    /// An SCTP packet, or a first fragment with its first chunk's header.
    fn sctp(&self, frame: &Frame, sctp: &Sctp) -> Self::Verdict;
    /// A first fragment that holds the ports, and not what tells whether it initiates.
    fn tiny(&self, frame: &Frame, ip: &Ip, transport: Transport, ports: PortPair) -> Self::Verdict;
    /// An ICMP or ICMPv6 echo request, or one for timestamp or address mask.
    fn echo_request(&self, frame: &Frame, ip: &Ip) -> Self::Verdict;
    /// An answer to one.
    fn echo_reply(&self, frame: &Frame, ip: &Ip) -> Self::Verdict;
    /// An unreachable, and the packet it quotes.
    fn unreachable(&self, frame: &Frame, ip: &Ip, quoted: &Quoted) -> Self::Verdict;
    /// Any other ICMP or ICMPv6 message.
    fn other_icmp(&self) -> Self::Verdict;
    /// An ARP request or a neighbour solicitation.
    fn solicitation(&self, neighbour: &Neighbour) -> Self::Verdict;
    /// An ARP reply or a neighbour advertisement.
    fn advertisement(&self, neighbour: &Neighbour) -> Self::Verdict;
    /// Another IP protocol, by number.
    fn protocol(&self, frame: &Frame, ip: &Ip, number: u8) -> Self::Verdict;
    /// A fragment but the first.
    fn later_fragment(&self) -> Self::Verdict;
    /// Neither IP nor ARP.
    fn other_frame(&self) -> Self::Verdict;
    /// A header is cut or contradicts itself.
    fn failed(&self, failure: ParseFailure) -> Self::Verdict;
}
