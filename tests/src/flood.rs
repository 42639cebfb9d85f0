//! As many packets as a socket can send, each the same, with an exact count of them.
#![expect(unsafe_code, reason = "packet sockets and sendmmsg(2)")]

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use anyhow::{Context as _, Result};

/// Packets of one system call.
const BATCH: usize = 64;

/// A packet socket at one interface, past its queueing discipline.
#[derive(Debug)]
pub struct Flood {
    socket: OwnedFd,
    packet: Vec<u8>,
}

impl Flood {
    /// Opens one at an interface of the calling thread's network namespace, for this `packet` from its
    /// Ethernet header on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new(ifindex: u32, packet: &[u8]) -> Result<Self> {
        // SAFETY: a system call without pointers.
        let socket =
            unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error()).context("cannot open a packet socket");
        }
        // SAFETY: the kernel has just made it, for nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let bypass: libc::c_int = 1;
        // SAFETY: the option is an int, which outlives the call.
        let set = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_QDISC_BYPASS,
                (&raw const bypass).cast(),
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
        Ok(Self {
            socket,
            packet: packet.to_vec(),
        })
    }

    /// Sends for as long as `goes_on` says, asked after each batch; how many packets were sent.
    ///
    /// # Errors
    /// When the kernel refuses one for another reason than want of room.
    pub fn run(&self, mut goes_on: impl FnMut() -> bool) -> Result<u64> {
        let mut part = libc::iovec {
            iov_base: self.packet.as_ptr().cast_mut().cast(),
            iov_len: self.packet.len(),
        };
        // SAFETY: all zeros are valid, and mean no address and no control messages.
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        header.msg_hdr.msg_iov = &raw mut part;
        header.msg_hdr.msg_iovlen = 1;
        let mut batch = [header; BATCH];
        let mut sent = 0;
        while goes_on() {
            // SAFETY: as many headers as the kernel is told, all of which point to `part`, and that to
            // the packet; all outlive the call.
            let result = unsafe {
                libc::sendmmsg(self.socket.as_raw_fd(), batch.as_mut_ptr(), BATCH as u32, 0)
            };
            match u64::try_from(result) {
                Ok(packets) => sent += packets,
                Err(_) => {
                    let error = io::Error::last_os_error();
                    if error.raw_os_error() != Some(libc::ENOBUFS) {
                        return Err(error).context("cannot send packets");
                    }
                }
            }
        }
        Ok(sent)
    }
}
