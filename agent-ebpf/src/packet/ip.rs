//! Where a transport header lies, between whom, and what of it is there.

use agent_common::{ParseFailure, Transport};

use super::{
    Verdicts,
    frame::Frame,
    headers::{Header, Ipv4, Ipv6, Ports, header, mapped, port, words},
};

const IPV4_BYTES: usize = 20;
const IPV4_OFFSET_MASK: u16 = 0x1fff_u16.to_be();

/// Where the transport header lies, and between whom it is.
#[derive(Clone, Copy, Debug)]
pub struct Ip {
    /// Of the transport header.
    pub(super) offset: usize,
    /// Where the IP packet ends, as its header says.
    pub(super) end: usize,
    /// A first fragment: there are more.
    pub(super) first: bool,
    pub(super) version: Version,
    pub(super) network: usize,
}

/// Which IP it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    V4,
    V6,
}

/// Source and destination port, in host order.
#[derive(Clone, Copy, Debug)]
pub struct PortPair {
    /// Of the sender.
    pub source: u16,
    /// Of the receiver.
    pub destination: u16,
}

impl PortPair {
    #[inline(always)]
    pub(super) fn of(ports: &Ports) -> Self {
        Self {
            source: port(ports.source),
            destination: port(ports.destination),
        }
    }
}

impl Ip {
    /// The source, IPv4 mapped, in words as in the packet.
    #[inline(always)]
    #[must_use]
    pub fn source(&self, frame: &Frame) -> Option<[u32; 4]> {
        match self.version {
            Version::V4 => Some(mapped(header::<Ipv4>(frame, self.network)?.source)),
            Version::V6 => Some(words(header::<Ipv6>(frame, self.network)?.source)),
        }
    }

    /// The destination, likewise.
    #[inline(always)]
    #[must_use]
    pub fn destination(&self, frame: &Frame) -> Option<[u32; 4]> {
        match self.version {
            Version::V4 => Some(mapped(header::<Ipv4>(frame, self.network)?.destination)),
            Version::V6 => Some(words(header::<Ipv6>(frame, self.network)?.destination)),
        }
    }

    /// Where the IP packet ends, as its header says, from the beginning of the frame.
    #[inline(always)]
    #[must_use]
    pub const fn end(&self) -> usize {
        self.end
    }

    /// The transport header, when both the packet and its IP length hold all of it.
    #[inline(always)]
    pub(super) fn transport<'a, T: Header>(&self, frame: &'a Frame) -> Option<&'a T> {
        if self.offset + size_of::<T>() > self.end {
            return None;
        }
        header(frame, self.offset)
    }

    /// A first fragment that holds no more than ports; a failure otherwise.
    #[inline(always)]
    pub(super) fn tiny<V: Verdicts>(
        &self,
        frame: &Frame,
        transport: Transport,
        failure: ParseFailure,
        verdicts: &V,
    ) -> V::Verdict {
        match self.transport::<Ports>(frame) {
            Some(ports) if self.first => verdicts.tiny(frame, self, transport, PortPair::of(ports)),
            _ => verdicts.failed(failure),
        }
    }
}

/// Length with options, unless the header is no IPv4 header.
#[inline(always)]
pub(super) fn v4_header_bytes(ip: &Ipv4) -> Option<usize> {
    let bytes = usize::from(ip.version_and_words & 0xf) * 4;
    (ip.version_and_words >> 4 == 4 && bytes >= IPV4_BYTES).then_some(bytes)
}

/// Whether a quoted IPv4 packet is a fragment without ports.
#[inline(always)]
pub(super) fn is_later_fragment(ip: &Ipv4) -> bool {
    ip.fragment & IPV4_OFFSET_MASK != 0
}
