//! SCTP, by its first chunk.

use agent_common::{ParseFailure, Transport};

use super::{
    Verdicts,
    frame::Frame,
    headers::SctpHeader,
    ip::{Ip, PortPair},
};

/// An SCTP packet.
#[derive(Clone, Copy, Debug)]
pub struct Sctp {
    /// Between whom.
    pub ip: Ip,
    /// Their ports.
    pub ports: PortPair,
    /// Its first chunk.
    pub chunk: Chunk,
}

/// A type of chunk (RFC 9260, 3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Chunk {
    /// It opens an association.
    Init,
    /// It accepts one.
    InitAck,
    /// It refuses or aborts one.
    Abort,
    /// The third step of opening one.
    CookieEcho,
    /// Any other.
    Other,
}

#[inline(always)]
pub(super) fn parse<V: Verdicts>(frame: &Frame, ip: Ip, verdicts: &V) -> V::Verdict {
    let Some(sctp) = ip.transport::<SctpHeader>(frame) else {
        return ip.tiny(frame, Transport::Sctp, ParseFailure::Sctp, verdicts);
    };
    let chunk = match sctp.chunk {
        1 => Chunk::Init,
        2 => Chunk::InitAck,
        6 => Chunk::Abort,
        10 => Chunk::CookieEcho,
        _ => Chunk::Other,
    };
    verdicts.sctp(
        frame,
        &Sctp {
            ip,
            ports: PortPair::of(&sctp.ports),
            chunk,
        },
    )
}
