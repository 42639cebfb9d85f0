//! As many packets as a socket can send, each the same, with an exact count of them.
#![expect(unsafe_code, reason = "packet sockets and sendmmsg(2)")]

use std::{
    io,
    os::fd::{AsRawFd as _, OwnedFd},
};

use anyhow::{Context as _, Result};

use crate::packet_socket::packet_socket;

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
        let socket = packet_socket(ifindex, libc::PACKET_QDISC_BYPASS)?;
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
