//! Single frames on a real interface, with as much of each in its linear part as asked.

use std::{io::IoSlice, os::fd::OwnedFd};

use anyhow::{Context as _, Result, ensure};

use crate::packet_socket::packet_socket;

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
        let socket = packet_socket(ifindex, PACKET_VNET_HDR)?;
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
