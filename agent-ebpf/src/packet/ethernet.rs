//! Ethernet with VLAN tags.

use agent_common::ParseFailure;

use super::{
    Verdicts, arp,
    frame::Frame,
    headers::{Vlan, header, opaque},
    network,
};

const ETHERNET_BYTES: usize = 14;
const VLAN_BYTES: usize = 4;
/// 802.1ad with 802.1Q inside.
const VLAN_TAGS: usize = 2;

const IPV4: u16 = 0x0800_u16.to_be();
const ARP: u16 = 0x0806_u16.to_be();
const VLAN: u16 = 0x8100_u16.to_be();
const QINQ: u16 = 0x88a8_u16.to_be();
const IPV6: u16 = 0x86dd_u16.to_be();

/// Parses a packet, and gives the verdict on it.
#[inline(always)]
pub fn parse<V: Verdicts>(frame: &Frame, verdicts: &V) -> V::Verdict {
    let mut ether_type = frame.ether_type;
    let mut offset = ETHERNET_BYTES;
    let mut tags = 0;
    while ether_type == VLAN || ether_type == QINQ {
        if tags == VLAN_TAGS {
            return verdicts.failed(ParseFailure::Ethernet);
        }
        let Some(tag) = header::<Vlan>(frame, offset) else {
            return verdicts.failed(ParseFailure::Ethernet);
        };
        ether_type = tag.ether_type;
        offset += VLAN_BYTES;
        tags += 1;
    }
    let offset = opaque(frame, offset);
    match ether_type {
        IPV4 => network::v4(frame, offset, verdicts),
        IPV6 => network::v6(frame, offset, verdicts),
        ARP => arp::parse(frame, offset, verdicts),
        _ => verdicts.other_frame(),
    }
}
