//! TCP: the flags, and what a segment does with them.

use agent_common::{Class, ParseFailure, Transport};

use super::{
    Verdicts,
    frame::Frame,
    headers::{TcpHeader, TcpStart},
    ip::{Ip, PortPair},
};

/// The flag that ends one direction.
pub const FIN: u8 = 0x01;
/// The flag that opens a connection.
pub const SYN: u8 = 0x02;
/// The flag that refuses or aborts one.
pub const RST: u8 = 0x04;
/// The flag of every segment that answers another.
pub const ACK: u8 = 0x10;

/// FIN, PSH and URG.
const XMAS: u8 = 0x29;
/// ECE and CWR, which do not tell probes apart.
const CONGESTION: u8 = 0xc0;

const MIN_WORDS: u8 = 5;

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Tcp {
    /// Between whom.
    pub ip: Ip,
    /// Their ports.
    pub ports: PortPair,
    /// All eight.
    pub flags: u8,
    /// Data offset in 32-bit words.
    pub words: u8,
    /// The sequence number is zero.
    pub first_sequence: bool,
    /// It carries data, as far as the headers tell.
    pub payload: bool,
}

impl Tcp {
    /// Whether it refuses a segment that had no ACK.
    ///
    /// Such a reset has sequence number zero and acknowledges (RFC 9293, 3.10.7.1); one that ends an
    /// established connection has the connection's own sequence number.
    #[inline(always)]
    #[must_use]
    pub const fn refuses(&self) -> bool {
        self.flags & (ACK | RST) == ACK | RST && self.first_sequence
    }

    /// How a segment without ACK and RST initiates.
    #[inline(always)]
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.flags & !CONGESTION {
            SYN => Class::Syn,
            0 => Class::Null,
            FIN => Class::Fin,
            XMAS => Class::Xmas,
            _ => Class::OddFlags,
        }
    }

    /// Where the payload begins.
    #[inline(always)]
    #[must_use]
    pub const fn payload_offset(&self) -> usize {
        self.ip.offset + self.words as usize * 4
    }
}

#[inline(always)]
pub(super) fn parse<V: Verdicts>(frame: &Frame, ip: Ip, verdicts: &V) -> V::Verdict {
    let start = match ip.transport::<TcpHeader>(frame) {
        Some(tcp) => &tcp.start,
        None => match ip.transport::<TcpStart>(frame) {
            Some(start) if ip.first => start,
            _ => return ip.tiny(frame, Transport::Tcp, ParseFailure::Tcp, verdicts),
        },
    };
    let words = start.words >> 4;
    if words < MIN_WORDS {
        return verdicts.failed(ParseFailure::Tcp);
    }
    verdicts.tcp(
        frame,
        &Tcp {
            ip,
            ports: PortPair::of(&start.ports),
            flags: start.flags,
            words,
            first_sequence: start.sequence[0] | start.sequence[1] == 0,
            payload: ip.offset + usize::from(words) * 4 < ip.end,
        },
    )
}
