//! A packet socket at one interface.
#![expect(unsafe_code, reason = "packet sockets")]

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use anyhow::{Context as _, Result};

/// Opens one at an interface of the calling thread's network namespace, with one of the options of
/// `SOL_PACKET` on.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn packet_socket(ifindex: u32, option: libc::c_int) -> Result<OwnedFd> {
    // SAFETY: a system call without pointers.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error()).context("cannot open a packet socket");
    }
    // SAFETY: the kernel has just made it, for nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let on: libc::c_int = 1;
    // SAFETY: the option is an int, which outlives the call.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as u32,
        )
    };
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: 0,
        sll_ifindex: ifindex.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: an address of the size that the kernel is told, which outlives the call.
    let bound = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as u32,
        )
    };
    if set < 0 || bound < 0 {
        return Err(io::Error::last_os_error()).context("cannot bind a packet socket");
    }
    Ok(socket)
}
