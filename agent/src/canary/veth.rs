//! The pair of interfaces that the agent scans itself through.

use std::{io, net::Ipv4Addr};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage as Message,
    address::{AddressAttribute, AddressMessage, AddressScope},
    link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::net::{SocketType, netdevice};

use super::error::CanaryError;
use crate::interfaces::{CANARY, CANARY_SENDER};

/// Of the sender: for documentation (RFC 5737), so that it is nobody's.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Of the other end, which sends back to it.
pub(super) const OTHER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
/// The kernel's answer is one message.
const ANSWER_BYTES: usize = 8 << 10;

/// Makes the pair unless it is there, and sets it up.
///
/// Neither end resolves addresses (NOARP): the kernel gives each frame the sender's own for a destination, so
/// that to the interface at the other end it is somebody else's, and goes no further than our programs.
pub(super) fn make() -> Result<(), CanaryError> {
    let mut peer = LinkMessage::default();
    peer.attributes = vec![LinkAttribute::IfName(CANARY_SENDER.into())];
    let mut pair = LinkMessage::default();
    pair.attributes = vec![
        LinkAttribute::IfName(CANARY.into()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]),
    ];
    let made = ask(Message::NewLink(pair), NLM_F_CREATE | NLM_F_EXCL);
    made.or_else(unless(libc::EEXIST))
        .map_err(failed("make the interfaces of the canary"))?;
    for (name, own) in [(CANARY, OTHER), (CANARY_SENDER, ADDRESS)] {
        let index = raise(name, LinkFlags::Up | LinkFlags::Noarp)?;
        give(index, own)?;
    }
    Ok(())
}

/// Gives the interface its address.
fn give(index: u32, own: Ipv4Addr) -> Result<(), CanaryError> {
    let mut address = AddressMessage::default();
    address.header.family = AddressFamily::Inet;
    address.header.prefix_len = 32;
    // Never chosen for what leaves by another interface.
    address.header.scope = AddressScope::Link;
    address.header.index = index;
    address.attributes = vec![
        AddressAttribute::Local(own.into()),
        AddressAttribute::Address(own.into()),
    ];
    ask(Message::NewAddress(address), NLM_F_CREATE | NLM_F_REPLACE)
        .map_err(failed("give the canary its addresses"))
}

/// Removes the pair; whether it was there.
pub(super) fn remove() -> Result<bool, CanaryError> {
    let mut link = LinkMessage::default();
    link.attributes = vec![LinkAttribute::IfName(CANARY.into())];
    match ask(Message::DelLink(link), 0) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(false),
        Err(error) => Err(failed("remove the interfaces of the canary")(error)),
    }
}

/// The index of the interface, which has the flags then.
fn raise(name: &'static str, flags: LinkFlags) -> Result<u32, CanaryError> {
    let raise = || {
        let family = rustix::net::AddressFamily::INET;
        let socket = rustix::net::socket(family, SocketType::DGRAM, None)?;
        let index = netdevice::name_to_index(socket, name)?;
        let mut link = LinkMessage::default();
        link.header.index = index;
        link.header.flags = flags;
        link.header.change_mask = flags;
        ask(Message::NewLink(link), 0)?;
        Ok(index)
    };
    raise().map_err(failed("set up the interfaces of the canary"))
}

fn failed(action: &'static str) -> impl FnOnce(io::Error) -> CanaryError {
    move |source| CanaryError::Interfaces { action, source }
}

fn unless(code: i32) -> impl FnOnce(io::Error) -> io::Result<()> {
    move |error| match error.raw_os_error() {
        Some(it) if it == code => Ok(()),
        _ => Err(error),
    }
}

/// Sends a request and waits for the kernel's word on it, which comes at once.
fn ask(request: Message, flags: u16) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0)?;
    let mut answer = vec![0; ANSWER_BYTES];
    let length = socket.recv(&mut &mut answer[..], 0)?;
    let answer = NetlinkMessage::<Message>::deserialize(&answer[..length]);
    match answer.map_err(io::Error::other)?.payload {
        NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io()),
        NetlinkPayload::Error(_) => Ok(()),
        other => Err(io::Error::other(format!("the kernel answered {other:?}"))),
    }
}
