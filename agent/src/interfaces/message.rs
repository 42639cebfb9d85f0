//! From netlink messages to facts.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_REPLACE, NetlinkHeader};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{InfoKind, LinkAttribute, LinkInfo, LinkLayerType, LinkMessage},
    neighbour::{
        NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
    },
    route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType},
};

use super::fact::{Fact, Link, Standing};

/// The fact that a message tells, if it is one of ours.
pub(super) fn fact(header: &NetlinkHeader, message: &RouteNetlinkMessage) -> Option<Fact> {
    match message {
        RouteNetlinkMessage::NewLink(message) => link(message).map(Fact::Link),
        RouteNetlinkMessage::DelLink(message) => link(message).map(|link| Fact::NoLink {
            ifindex: link.ifindex,
        }),
        RouteNetlinkMessage::NewRoute(message) if is_default(message) => {
            outgoing(message).map(|ifindex| Fact::Uplink { ifindex })
        }
        RouteNetlinkMessage::NewRoute(message) if is_local(message) => Some(Fact::Own {
            address: host(message)?,
            ifindex: outgoing(message)?,
        }),
        RouteNetlinkMessage::DelRoute(message) if is_local(message) => Some(Fact::NotOwn {
            address: host(message)?,
            ifindex: outgoing(message)?,
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
        ethernet: message.header.link_layer_type == LinkLayerType::Ether,
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
    let many = message.header.kind == RouteType::Anycast;
    (message.header.destination_prefix_length == bits && !many).then_some(destination)
}

/// The node's own addresses are local routes, which the kernel keeps beside all others.
fn is_local(message: &RouteMessage) -> bool {
    message.header.kind == RouteType::Local
}

/// In the main table alone: others are for some of the traffic, as that of an egress gateway, and may lead through
/// a pod.
fn is_default(message: &RouteMessage) -> bool {
    message.header.kind == RouteType::Unicast
        && message.header.table == RouteHeader::RT_TABLE_MAIN
        && message.header.destination_prefix_length == 0
}

/// The interface that the destination is right behind.
fn interface(message: &RouteMessage) -> Option<u32> {
    let gateway = |attribute: &_| {
        matches!(
            attribute,
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_)
        )
    };
    let direct =
        message.header.kind == RouteType::Unicast && !message.attributes.iter().any(gateway);
    outgoing(message).filter(|_| direct)
}

fn outgoing(message: &RouteMessage) -> Option<u32> {
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Oif(ifindex) => Some(*ifindex),
            _ => None,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn link_of(family: AddressFamily) -> LinkMessage {
        let mut message = LinkMessage::default();
        message.header.interface_family = family;
        message.header.index = 7;
        message.header.link_layer_type = LinkLayerType::Ether;
        message.attributes = vec![
            LinkAttribute::IfName("veth7".into()),
            LinkAttribute::Address(vec![0xee; 6]),
            LinkAttribute::Link(3),
            LinkAttribute::LinkNetNsId(0),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth)]),
        ];
        message
    }

    fn route_to(kind: RouteType, bits: u8, more: Option<RouteAttribute>) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header = RouteHeader {
            kind,
            destination_prefix_length: bits,
            ..RouteHeader::default()
        };
        let destination = RouteAddress::Inet([10, 244, 0, 1].into());
        message.attributes = vec![
            RouteAttribute::Destination(destination),
            RouteAttribute::Oif(7),
        ];
        message.attributes.extend(more);
        message
    }

    fn neighbour_in(state: NeighbourState, flags: NeighbourFlags) -> NeighbourMessage {
        let mut message = NeighbourMessage::default();
        message.header.ifindex = 7;
        message.header.state = state;
        message.header.flags = flags;
        let destination = NeighbourAddress::Inet([10, 244, 0, 1].into());
        message.attributes = vec![NeighbourAttribute::Destination(destination)];
        message
    }

    #[test]
    fn each_message_tells_its_fact_or_none() {
        use RouteNetlinkMessage as Message;

        let address = IpAddr::from([10, 244, 0, 1]);
        let link = Link {
            ifindex: 7,
            name: "veth7".into(),
            veth: true,
            ethernet: true,
            address: vec![0xee; 6],
            peer: Some(3),
            peer_namespace: Some(0),
        };
        let route = |ifindex| Fact::Route {
            address,
            ifindex,
            replaces: false,
        };
        let neighbour = |standing| Fact::Neighbour {
            address,
            ifindex: 7,
            standing,
        };
        let unspec = AddressFamily::Unspec;
        let plain = NeighbourFlags::empty();
        let gateway = RouteAttribute::Gateway(RouteAddress::Inet([10, 0, 0, 1].into()));
        let default_in = |table| {
            let mut message = route_to(RouteType::Unicast, 0, None);
            message.header.table = table;
            Message::NewRoute(message)
        };
        let cases = [
            (
                default_in(RouteHeader::RT_TABLE_MAIN),
                Some(Fact::Uplink { ifindex: 7 }),
            ),
            // Of an egress gateway: through a pod, for some of the traffic.
            (default_in(100), None),
            (Message::NewLink(link_of(unspec)), Some(Fact::Link(link))),
            (
                Message::DelLink(link_of(unspec)),
                Some(Fact::NoLink { ifindex: 7 }),
            ),
            // A port leaves its bridge and lives on.
            (Message::DelLink(link_of(AddressFamily::Bridge)), None),
            (
                Message::NewRoute(route_to(RouteType::Unicast, 32, None)),
                Some(route(Some(7))),
            ),
            (
                Message::DelRoute(route_to(RouteType::Unicast, 32, None)),
                Some(Fact::NoRoute {
                    address,
                    ifindex: 7,
                }),
            ),
            (
                Message::NewRoute(route_to(RouteType::Unicast, 24, None)),
                None,
            ),
            (
                Message::NewRoute(route_to(RouteType::Local, 32, None)),
                Some(Fact::Own {
                    address,
                    ifindex: 7,
                }),
            ),
            (
                Message::DelRoute(route_to(RouteType::Local, 32, None)),
                Some(Fact::NotOwn {
                    address,
                    ifindex: 7,
                }),
            ),
            (Message::NewRoute(route_to(RouteType::Local, 8, None)), None),
            (
                Message::NewRoute(route_to(RouteType::BlackHole, 32, None)),
                Some(route(None)),
            ),
            (
                Message::NewRoute(route_to(RouteType::Unicast, 32, Some(gateway))),
                Some(route(None)),
            ),
            (
                Message::NewNeighbour(neighbour_in(NeighbourState::Reachable, plain)),
                Some(neighbour(Standing::Confirmed)),
            ),
            (
                Message::NewNeighbour(neighbour_in(NeighbourState::Permanent, plain)),
                Some(neighbour(Standing::Confirmed)),
            ),
            (
                Message::NewNeighbour(neighbour_in(NeighbourState::Stale, plain)),
                Some(neighbour(Standing::Unchanged)),
            ),
            (
                Message::NewNeighbour(neighbour_in(NeighbourState::Failed, plain)),
                Some(neighbour(Standing::Lost)),
            ),
            (
                Message::DelNeighbour(neighbour_in(NeighbourState::Reachable, plain)),
                Some(neighbour(Standing::Lost)),
            ),
            (
                Message::NewNeighbour(neighbour_in(
                    NeighbourState::Permanent,
                    NeighbourFlags::Proxy,
                )),
                None,
            ),
        ];
        for (message, expected) in cases {
            let told = fact(&NetlinkHeader::default(), &message);
            assert_eq!(told, expected, "{message:?}");
        }

        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REPLACE;
        let message = Message::NewRoute(route_to(RouteType::Unicast, 32, None));
        let replaces = Fact::Route {
            address,
            ifindex: Some(7),
            replaces: true,
        };
        assert_eq!(fact(&header, &message), Some(replaces));
    }
}
