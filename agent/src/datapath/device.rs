//! An interface's name, for what takes no index.

use std::io;

use rustix::net::{AddressFamily, SocketType, netdevice};

/// The name of the interface with this index, in the network namespace of the calling thread.
pub(super) fn name_of(ifindex: u32) -> io::Result<String> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    Ok(netdevice::index_to_name(socket, ifindex)?)
}
