//! From netlink messages to facts.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_REPLACE, NetlinkHeader};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage},
    neighbour::{
        NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
    },
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteType},
};

use super::table::{Fact, Link, Standing};

/// The fact that a message tells, if it is one of ours.
pub(super) fn fact(header: &NetlinkHeader, message: &RouteNetlinkMessage) -> Option<Fact> {
    match message {
        RouteNetlinkMessage::NewLink(message) => link(message).map(Fact::Link),
        RouteNetlinkMessage::DelLink(message) => link(message).map(|link| Fact::NoLink {
            ifindex: link.ifindex,
        }),
        RouteNetlinkMessage::NewRoute(message) => Some(Fact::Route {
            address: host(message)?,
            ifindex: interface(message),
            replaces: header.flags & NLM_F_REPLACE != 0,
        }),
        RouteNetlinkMessage::DelRoute(message) => Some(Fact::NoRoute {
            address: host(message)?,
            ifindex: interface(message)?,
        }),
        RouteNetlinkMessage::NewNeighbour(message) => {
            neighbour(message, standing(message.header.state))
        }
        RouteNetlinkMessage::DelNeighbour(message) => neighbour(message, Standing::Lost),
        _ => None,
    }
}

fn link(message: &LinkMessage) -> Option<Link> {
    // Bridges speak of their ports in AF_BRIDGE: there a port that leaves is "deleted", the interface
    // is not (net/bridge/br_netlink.c).
    if message.header.interface_family != AddressFamily::Unspec {
        return None;
    }
    let mut link = Link {
        ifindex: message.header.index,
        ..Link::default()
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::Address(address) => link.address.clone_from(address),
            LinkAttribute::Link(peer) => link.peer = Some(*peer),
            LinkAttribute::LinkNetNsId(id) => link.peer_namespace = Some(*id),
            LinkAttribute::LinkInfo(infos) => {
                link.veth = infos.contains(&LinkInfo::Kind(InfoKind::Veth));
            }
            _ => {}
        }
    }
    (!link.name.is_empty()).then_some(link)
}

/// The only address that a route leads to.
fn host(message: &RouteMessage) -> Option<IpAddr> {
    let destination = message.attributes.iter().find_map(|attribute| {
        let RouteAttribute::Destination(address) = attribute else {
            return None;
        };
        match address {
            RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
            RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
            _ => None,
        }
    })?;
    let bits = if destination.is_ipv4() { 32 } else { 128 };
    // Local routes are the node's own addresses, which the kernel keeps beside all others.
    let own = matches!(message.header.kind, RouteType::Local | RouteType::Anycast);
    (message.header.destination_prefix_length == bits && !own).then_some(destination)
}

/// The interface that the destination is right behind.
fn interface(message: &RouteMessage) -> Option<u32> {
    if message.header.kind != RouteType::Unicast {
        return None;
    }
    let mut interface = None;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(ifindex) => interface = Some(*ifindex),
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_) => return None,
            _ => {}
        }
    }
    interface
}

fn neighbour(message: &NeighbourMessage, standing: Standing) -> Option<Fact> {
    let address = message.attributes.iter().find_map(|attribute| {
        let NeighbourAttribute::Destination(address) = attribute else {
            return None;
        };
        match address {
            NeighbourAddress::Inet(address) => Some(IpAddr::V4(*address)),
            NeighbourAddress::Inet6(address) => Some(IpAddr::V6(*address)),
            _ => None,
        }
    })?;
    // A proxy entry is an address the node answers for itself.
    let proxy = message.header.flags.contains(NeighbourFlags::Proxy);
    (!proxy).then_some(Fact::Neighbour {
        address,
        ifindex: message.header.ifindex,
        standing,
    })
}

/// A request alone makes a stale entry for whatever sender it names, so stale proves nothing; only an
/// answer to the kernel's own request makes an entry reachable (net/ipv4/arp.c, `arp_process`).
fn standing(state: NeighbourState) -> Standing {
    match state {
        NeighbourState::Permanent | NeighbourState::Reachable => Standing::Confirmed,
        NeighbourState::Stale | NeighbourState::Delay | NeighbourState::Probe => {
            Standing::Unchanged
        }
        _ => Standing::Lost,
    }
}
