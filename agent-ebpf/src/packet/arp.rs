//! Address resolution: who asks for whom, over ARP or neighbour discovery.

use agent_common::ParseFailure;

use super::{
    Verdicts,
    frame::Frame,
    headers::{Arp, header, mapped},
};

const ETHERNET: u16 = 1_u16.to_be();
const IPV4: u16 = 0x0800_u16.to_be();
const REQUEST: u16 = 1_u16.to_be();
const REPLY: u16 = 2_u16.to_be();

/// A question or an answer of address resolution.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour {
    /// Who sent it, as it says itself; unspecified in a probe for a duplicate of the target.
    pub source: [u32; 4],
    /// Whose link-layer address is asked for or told.
    pub target: [u32; 4],
    /// Over ICMPv6 rather than ARP.
    pub icmp: bool,
}

impl Neighbour {
    /// Whether it asks for another's address, rather than probing for or announcing its own (RFC 5227,
    /// RFC 4862, 5.4).
    #[inline(always)]
    #[must_use]
    pub const fn asks(&self) -> bool {
        let [a, b, c, d] = self.source;
        let [e, f, g, h] = self.target;
        let same = a == e && b == f && c == g && d == h;
        !same && !is_unspecified(&self.source) && !is_unspecified(&self.target)
    }
}

/// Whether it is `0.0.0.0` or `::`.
#[inline(always)]
const fn is_unspecified(address: &[u32; 4]) -> bool {
    address[3] == 0
        && address[0] | address[1] == 0
        && (address[2] == 0 || address[2] == 0xffff_u32.to_be())
}

#[inline(always)]
pub(super) fn parse<V: Verdicts>(frame: &Frame, offset: usize, verdicts: &V) -> V::Verdict {
    let Some(arp) = header::<Arp>(frame, offset) else {
        return verdicts.failed(ParseFailure::Arp);
    };
    if arp.hardware != ETHERNET
        || arp.protocol != IPV4
        || arp.hardware_bytes != 6
        || arp.protocol_bytes != 4
    {
        return verdicts.other_frame();
    }
    let sender = mapped(arp.sender);
    match arp.operation {
        REQUEST => verdicts.solicitation(&Neighbour {
            source: sender,
            target: mapped(arp.target),
            icmp: false,
        }),
        // A reply tells the sender's own address.
        REPLY => verdicts.advertisement(&Neighbour {
            source: sender,
            target: sender,
            icmp: false,
        }),
        _ => verdicts.other_frame(),
    }
}
