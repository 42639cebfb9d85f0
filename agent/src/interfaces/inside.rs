//! Reads the addresses at the other end of an interface, in the network namespace of its pod.
//!
//! On a bridge no route tells who is behind which port, and what the bridge learns is what the frames of any pod
//! say. The addresses of the pod's own interface are what its CNI plugin set: it takes `NET_ADMIN` in the pod
//! to set others, and that is not among what containers get by themselves.

use std::{io, net::IpAddr};

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NetlinkBuffer, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage, AddressScope},
    link::{LinkAttribute, LinkExtentMask, LinkMessage},
};
use netlink_sys::Socket;
use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};

use super::{
    fact::{Fact, Link},
    message,
    socket::{self, DATAGRAM_BYTES},
};

/// A socket to ask with.
pub(super) struct Inside {
    socket: Socket,
    sequence: u32,
    datagram: Vec<u8>,
}

impl Inside {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            sequence: 0,
            datagram: vec![0; DATAGRAM_BYTES],
        }
    }

    /// The addresses that others can reach; none when the interface is not what it was, or has no other end
    /// in another network namespace.
    pub(super) fn addresses(&mut self, link: &Link) -> io::Result<Option<Vec<IpAddr>>> {
        let (Some(peer), Some(namespace)) = (link.peer, link.peer_namespace) else {
            return Ok(None);
        };
        let mut asked = AddressMessage::default();
        asked.header.index = peer;
        asked.attributes = vec![AddressAttribute::TargetNetNsId(namespace)];
        let mut addresses = Vec::new();
        let mut is_torn = false;
        let asked = RouteNetlinkMessage::GetAddress(asked);
        let answered = self.ask(asked, NLM_F_DUMP, |header, answer| {
            is_torn |= header.flags & NLM_F_DUMP_INTR != 0;
            if let RouteNetlinkMessage::NewAddress(answer) = answer
                && answer.header.index == peer
            {
                addresses.extend(address(answer));
            }
        });
        if is_absent(&answered) {
            return Ok(None);
        }
        answered?;
        // The id of a network namespace that is gone goes to another. Whoever is still there has kept his.
        let is_same = self.link(link.ifindex)?.as_ref() == Some(link);
        Ok((is_same && !is_torn).then_some(addresses))
    }

    fn link(&mut self, ifindex: u32) -> io::Result<Option<Link>> {
        let mut asked = LinkMessage::default();
        asked.header.index = ifindex;
        let without = vec![LinkExtentMask::SkipStats];
        asked.attributes.push(LinkAttribute::ExtMask(without));
        let mut link = None;
        let asked = RouteNetlinkMessage::GetLink(asked);
        let answered = self.ask(asked, 0, |header, answer| {
            if let Some(Fact::Link(found)) = message::fact(header, answer) {
                link = Some(found);
            }
        });
        if is_absent(&answered) {
            return Ok(None);
        }
        answered.map(|()| link)
    }

    /// Asks, and takes in what answers. The kernel has answered when it has taken the question.
    fn ask(
        &mut self,
        asked: RouteNetlinkMessage,
        flags: u16,
        mut take: impl FnMut(&NetlinkHeader, &RouteNetlinkMessage),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        socket::send(&self.socket, asked, flags, self.sequence)?;
        loop {
            let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
            let (_, length) = recv(&self.socket, &mut self.datagram[..], flags)?;
            let mut rest = self.datagram.get(..length).ok_or(Errno::MSGSIZE)?;
            while let Ok(buffer) = NetlinkBuffer::new_checked(rest) {
                let length = buffer.length() as usize;
                let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&rest[..length]);
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                let message = message.map_err(io::Error::other)?;
                let header = message.header;
                if header.sequence_number != self.sequence {
                    continue;
                }
                match message.payload {
                    NetlinkPayload::Done(done) if done.code != 0 => {
                        return Err(io::Error::from_raw_os_error(-done.code));
                    }
                    NetlinkPayload::Done(_) => return Ok(()),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    NetlinkPayload::InnerMessage(answer) => {
                        take(&header, &answer);
                        if header.flags & NLM_F_MULTIPART == 0 {
                            return Ok(());
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The address, if others can reach the pod by it.
fn address(message: &AddressMessage) -> Option<IpAddr> {
    if matches!(
        message.header.scope,
        AddressScope::Link | AddressScope::Host | AddressScope::Nowhere
    ) {
        return None;
    }
    let attributes = message.attributes.iter();
    // Of an address with a peer, only this one is its own.
    let own = attributes.clone().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    own.or_else(|| {
        attributes.clone().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

/// Whether it is the interface, or its other end's network namespace, that is not there any more.
fn is_absent(answered: &io::Result<()>) -> bool {
    let error = answered.as_ref().err().and_then(Errno::from_io_error);
    error.is_some_and(|error| matches!(error, Errno::NODEV | Errno::INVAL | Errno::NXIO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_pods_own_and_one_that_others_can_reach() {
        let [own, peer] = [1, 2].map(|last| IpAddr::from([10, 244, 0, last]));
        let own6 = IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1]);
        let universe = AddressScope::Universe;
        let cases = [
            (universe, vec![AddressAttribute::Address(own6)], Some(own6)),
            (
                universe,
                vec![
                    AddressAttribute::Address(peer),
                    AddressAttribute::Local(own),
                ],
                Some(own),
            ),
            (
                AddressScope::Link,
                vec![AddressAttribute::Address(own6)],
                None,
            ),
            (AddressScope::Host, vec![AddressAttribute::Local(own)], None),
            (universe, vec![], None),
        ];
        for (scope, attributes, expected) in cases {
            let mut message = AddressMessage::default();
            message.header.scope = scope;
            message.attributes = attributes;
            assert_eq!(address(&message), expected, "{message:?}");
        }
    }
}
