//! Single frames on a real interface, with as much of each in its linear part as asked.
#![expect(unsafe_code, reason = "packet sockets")]

use std::{
    io::{self, IoSlice},
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use anyhow::{Context as _, Result, ensure};

/// `PACKET_VNET_HDR` (linux/if_packet.h): a `virtio_net_hdr` comes before each frame.
const PACKET_VNET_HDR: libc::c_int = 15;
/// Size of `struct virtio_net_hdr`, and where it says how much of a frame is headers.
const VIRTIO_BYTES: usize = 10;
const VIRTIO_HEADERS: usize = 2;

/// A packet socket at one interface.
#[derive(Debug)]
pub struct Wire {
    socket: OwnedFd,
}

impl Wire {
    /// Opens one at an interface of the calling thread's network namespace.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new(ifindex: u32) -> Result<Self> {
        // SAFETY: a system call without pointers.
        let socket =
            unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
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
                PACKET_VNET_HDR,
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
        Ok(Self { socket })
    }

    /// Sends a frame. The kernel puts its first `linear` bytes, 14 at least, into the linear part, and
    /// the rest into pages, if it is larger than a page; a smaller one is always linear.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub fn send(&self, frame: &[u8], linear: usize) -> Result<()> {
        let mut header = [0; VIRTIO_BYTES];
        header[VIRTIO_HEADERS..][..2].copy_from_slice(&u16::try_from(linear)?.to_ne_bytes());
        let parts = [IoSlice::new(&header), IoSlice::new(frame)];
        let sent = rustix::io::writev(&self.socket, &parts)
            .with_context(|| format!("cannot send a frame of {} bytes", frame.len()))?;
        ensure!(
            sent == VIRTIO_BYTES + frame.len(),
            "sent {sent} bytes of a frame of {}",
            frame.len()
        );
        Ok(())
    }
}
