//! Ethernet with VLAN tags.

use agent_common::ParseFailure;

use super::{
    Packet, arp,
    frame::Frame,
    headers::{Vlan, header},
    ip,
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

#[inline(always)]
pub(super) fn parse(frame: &Frame) -> Result<Packet, ParseFailure> {
    let mut ether_type = frame.ether_type;
    let mut offset = ETHERNET_BYTES;
    let mut tags = 0;
    while ether_type == VLAN || ether_type == QINQ {
        if tags == VLAN_TAGS {
            return Err(ParseFailure::Ethernet);
        }
        let tag = header::<Vlan>(frame, offset).ok_or(ParseFailure::Ethernet)?;
        ether_type = tag.ether_type;
        offset += VLAN_BYTES;
        tags += 1;
    }
    match ether_type {
        IPV4 => ip::v4(frame, offset),
        IPV6 => ip::v6(frame, offset),
        ARP => arp::parse(frame, offset),
        _ => Ok(Packet::OtherFrame),
    }
}
