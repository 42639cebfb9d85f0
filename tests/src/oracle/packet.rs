//! What a frame is, once it is parsed.

use agent_common::{ParseFailure, Transport, VolumeClass};

/// An address in words as in a packet, IPv4 mapped (`::ffff:a.b.c.d`).
pub type Host = [u32; 4];

/// The two sides of a packet; ports are 0 where the transport has none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ends {
    /// Who sent it.
    pub source: Host,
    /// To whom.
    pub destination: Host,
    /// The source's port, or the number of the protocol.
    pub source_port: u16,
    /// The destination's port, or the number of the protocol.
    pub destination_port: u16,
}

/// What matters of a TCP header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Segment {
    /// All eight flags.
    pub flags: u8,
    /// Sequence number.
    pub sequence: u32,
    /// Data offset in 32-bit words.
    pub words: u8,
    /// What follows the header.
    pub payload: Payload,
}

/// Where the payload of a frame lies, as its headers tell: the frame may end earlier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Payload {
    /// Where it begins in the frame.
    pub at: usize,
    /// How long it is.
    pub bytes: usize,
}

/// The packet that an ICMP error quotes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quoted {
    /// Its ends.
    pub ends: Ends,
    /// What it was sent over.
    pub transport: Transport,
}

/// A parsed frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packet {
    /// TCP, with all of its header that counts.
    Tcp(Ends, Segment),
    /// A first fragment with ports and too little behind them.
    Tiny(Ends, Transport),
    /// UDP.
    Udp(Ends, Payload),
    /// SCTP, and the type of its first chunk.
    Sctp(Ends, u8),
    /// An ICMP request.
    EchoRequest(Ends),
    /// Its answer.
    EchoReply(Ends),
    /// An ICMP unreachable, and what it quotes.
    Unreachable(Ends, Quoted),
    /// A neighbour solicitation, and its target.
    Solicitation(Ends, Host),
    /// A neighbour advertisement, and its target.
    Advertisement(Ends, Host),
    /// Any other ICMP.
    OtherIcmp,
    /// An ARP request: the sender's and the target's protocol addresses are its ends.
    ArpRequest(Ends),
    /// An ARP reply.
    ArpReply(Ends),
    /// Another IP protocol; its number is both ports.
    Protocol(Ends),
    /// A fragment but the first.
    LaterFragment,
    /// Neither IP nor address resolution.
    OtherFrame,
    /// It cannot be parsed.
    Failure(ParseFailure),
}

impl Packet {
    /// What its volume counts for.
    #[must_use]
    pub const fn volume_class(&self) -> VolumeClass {
        match self {
            Self::Tcp(..) | Self::Tiny(_, Transport::Tcp) => VolumeClass::Tcp,
            Self::Udp(..) => VolumeClass::Udp,
            Self::EchoRequest(_)
            | Self::EchoReply(_)
            | Self::Unreachable(..)
            | Self::Solicitation(..)
            | Self::Advertisement(..)
            | Self::OtherIcmp => VolumeClass::Icmp,
            _ => VolumeClass::Other,
        }
    }
}
