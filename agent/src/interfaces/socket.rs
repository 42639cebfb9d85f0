//! The rtnetlink socket: its buffer, its groups, and requests for dumps.

use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkExtentMask, LinkMessage},
    neighbour::NeighbourMessage,
    route::RouteMessage,
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::net::sockopt;

use super::error::InterfacesError;

/// Room for some ten thousand notifications; the kernel takes the memory only when they come.
const BUFFER_BYTES: usize = 32 << 20;

/// No datagram is longer: the kernel fills at most 32 KiB of a dump at once.
pub(super) const DATAGRAM_BYTES: usize = 64 << 10;

/// From linux/rtnetlink.h.
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_NEIGH: u32 = 3;
const RTNLGRP_IPV4_ROUTE: u32 = 7;
const RTNLGRP_IPV6_ROUTE: u32 = 11;

/// The dumps that together show everything, in the order in which they must be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dump {
    /// Routes, read for what tells a node's uplink from a pod before any is watched.
    Uplinks,
    Links,
    Routes,
    Neighbours,
}

impl Dump {
    pub(super) const fn next(self) -> Option<Self> {
        match self {
            Self::Uplinks => Some(Self::Links),
            Self::Links => Some(Self::Routes),
            Self::Routes => Some(Self::Neighbours),
            Self::Neighbours => None,
        }
    }

    fn request(self) -> RouteNetlinkMessage {
        match self {
            Self::Links => {
                let mut message = LinkMessage::default();
                let without = vec![LinkExtentMask::SkipStats];
                message.attributes.push(LinkAttribute::ExtMask(without));
                RouteNetlinkMessage::GetLink(message)
            }
            Self::Uplinks | Self::Routes => RouteNetlinkMessage::GetRoute(RouteMessage::default()),
            Self::Neighbours => RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default()),
        }
    }
}

/// Opens a socket to ask with, which checks what it is asked: only then the kernel looks into other network
/// namespaces (net/core/rtnetlink.c, `rtnl_get_net_ns_capable`).
pub(super) fn open_to_ask() -> Result<Socket, InterfacesError> {
    let failed = |action| move |source| InterfacesError::Open { action, source };
    let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed("open a netlink socket"))?;
    socket
        .set_netlink_get_strict_chk(true)
        .map_err(failed("make the netlink socket strict"))?;
    socket
        .bind_auto()
        .map_err(failed("bind the netlink socket"))?;
    Ok(socket)
}

/// Opens the socket in the network namespace of the calling thread and subscribes.
pub(super) fn open() -> Result<Socket, InterfacesError> {
    let failed = |action| move |source| InterfacesError::Open { action, source };
    let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed("open a netlink socket"))?;
    socket
        .set_non_blocking(true)
        .map_err(failed("make the netlink socket non-blocking"))?;
    // Beyond net.core.rmem_max with CAP_NET_ADMIN, up to it without.
    sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER_BYTES)
        .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, BUFFER_BYTES))
        .map_err(io::Error::from)
        .map_err(failed("size the netlink socket's buffer"))?;
    socket
        .bind_auto()
        .map_err(failed("bind the netlink socket"))?;
    for group in [
        RTNLGRP_LINK,
        RTNLGRP_NEIGH,
        RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_ROUTE,
    ] {
        socket
            .add_membership(group)
            .map_err(failed("subscribe to links, routes and neighbours"))?;
    }
    Ok(socket)
}

/// Asks for a dump; its parts bear `sequence`.
pub(super) fn request(socket: &Socket, dump: Dump, sequence: u32) -> io::Result<()> {
    send(socket, dump.request(), NLM_F_DUMP, sequence)
}

/// Asks for something; what answers bears `sequence`.
pub(super) fn send(
    socket: &Socket,
    asked: RouteNetlinkMessage,
    flags: u16,
    sequence: u32,
) -> io::Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(asked));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0).map(drop)
}
