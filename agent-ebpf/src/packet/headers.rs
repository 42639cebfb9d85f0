//! Protocol headers as they lie in a packet, and the one way to reach them.
#![expect(unsafe_code, reason = "a header is read where it lies")]

#[cfg(target_arch = "bpf")]
use core::arch::asm;

use super::frame::Frame;

/// A protocol header as it lies in a packet, in network order.
///
/// # Safety
///
/// Every bit pattern must be a valid value, and the alignment at most 2: the kernel aligns packets to no more,
/// and every header before has an even length.
pub(super) unsafe trait Header {}

/// The header at `offset`, if the linear part of the packet holds all of it.
///
/// One check for the whole header: with a check for each field LLVM merges offsets in ways that the
/// verifier refuses.
#[inline(always)]
pub(super) fn header<T: Header>(frame: &Frame, offset: usize) -> Option<&T> {
    let start = frame.start + bounded(offset);
    if start + size_of::<T>() > frame.end {
        return None;
    }
    // SAFETY: the header lies within the packet, and `T: Header` is valid for any bytes.
    Some(unsafe { &*(start as *const T) })
}

#[repr(C)]
pub(super) struct Vlan {
    pub(super) tag: u16,
    pub(super) ether_type: u16,
}

#[repr(C)]
pub(super) struct Arp {
    pub(super) hardware: u16,
    pub(super) protocol: u16,
    pub(super) hardware_bytes: u8,
    pub(super) protocol_bytes: u8,
    pub(super) operation: u16,
    pub(super) sender_hardware: [u16; 3],
    pub(super) sender: [u16; 2],
    pub(super) target_hardware: [u16; 3],
    pub(super) target: [u16; 2],
}

#[repr(C)]
pub(super) struct Ipv4 {
    pub(super) version_and_words: u8,
    pub(super) service: u8,
    pub(super) total_bytes: u16,
    pub(super) identification: u16,
    pub(super) fragment: u16,
    pub(super) time_to_live: u8,
    pub(super) protocol: u8,
    pub(super) checksum: u16,
    pub(super) source: [u16; 2],
    pub(super) destination: [u16; 2],
}

#[repr(C)]
pub(super) struct Ipv6 {
    pub(super) version_and_class: u8,
    pub(super) class_and_flow: u8,
    pub(super) flow: u16,
    pub(super) payload_bytes: u16,
    pub(super) next: u8,
    pub(super) hop_limit: u8,
    pub(super) source: [u16; 8],
    pub(super) destination: [u16; 8],
}

/// The part that all IPv6 extension headers have in common, and what the fragment header has there.
#[repr(C)]
pub(super) struct Ipv6Extension {
    pub(super) next: u8,
    pub(super) length: u8,
    pub(super) fragment: u16,
}

/// The beginning of TCP, UDP and SCTP.
#[repr(C)]
pub(super) struct Ports {
    pub(super) source: u16,
    pub(super) destination: u16,
}

/// A TCP header up to its flags.
#[repr(C)]
pub(super) struct TcpStart {
    pub(super) ports: Ports,
    pub(super) sequence: [u16; 2],
    pub(super) acknowledgement: [u16; 2],
    pub(super) words: u8,
    pub(super) flags: u8,
}

#[repr(C)]
pub(super) struct TcpHeader {
    pub(super) start: TcpStart,
    pub(super) window: u16,
    pub(super) checksum: u16,
    pub(super) urgent: u16,
}

#[repr(C)]
pub(super) struct UdpHeader {
    pub(super) ports: Ports,
    pub(super) length: u16,
    pub(super) checksum: u16,
}

/// An SCTP header with the header of its first chunk.
#[repr(C)]
pub(super) struct SctpHeader {
    pub(super) ports: Ports,
    pub(super) verification: [u16; 2],
    pub(super) checksum: [u16; 2],
    pub(super) chunk: u8,
    pub(super) chunk_flags: u8,
    pub(super) chunk_bytes: u16,
}

#[repr(C)]
pub(super) struct Icmp {
    pub(super) kind: u8,
    pub(super) code: u8,
    pub(super) checksum: u16,
    pub(super) rest: [u16; 2],
}

/// A neighbour solicitation or advertisement.
#[repr(C)]
pub(super) struct NeighbourMessage {
    pub(super) icmp: Icmp,
    pub(super) target: [u16; 8],
}

// SAFETY: integers of at most 16 bits, here and below.
unsafe impl Header for Vlan {}
// SAFETY: as above.
unsafe impl Header for Arp {}
// SAFETY: as above.
unsafe impl Header for Ipv4 {}
// SAFETY: as above.
unsafe impl Header for Ipv6 {}
// SAFETY: as above.
unsafe impl Header for Ipv6Extension {}
// SAFETY: as above.
unsafe impl Header for Ports {}
// SAFETY: as above.
unsafe impl Header for TcpStart {}
// SAFETY: as above.
unsafe impl Header for TcpHeader {}
// SAFETY: as above.
unsafe impl Header for UdpHeader {}
// SAFETY: as above.
unsafe impl Header for SctpHeader {}
// SAFETY: as above.
unsafe impl Header for Icmp {}
// SAFETY: as above.
unsafe impl Header for NeighbourMessage {}

/// A port in host order.
///
/// Verifiers before Linux 6.13 forget every bound of a value whose bytes are swapped.
#[inline(always)]
pub(super) fn port(network_order: u16) -> u16 {
    #[cfg_attr(
        not(target_arch = "bpf"),
        expect(unused_mut, reason = "the mask is for BPF")
    )]
    let mut port = u64::from(u16::from_be(network_order));
    #[cfg(target_arch = "bpf")]
    // SAFETY: changes nothing but its operand. The compiler drops a mask that it can prove needless.
    unsafe {
        asm!("{0} &= 65535", inout(reg) port, options(pure, nomem, nostack));
    }
    port as u16
}

/// An offset that the verifier knows to be small, which the compiler may have put together from parts.
///
/// The farthest header lies 12 kB into a packet, behind six of the longest IPv6 extension headers.
#[inline(always)]
#[cfg_attr(
    not(target_arch = "bpf"),
    expect(unused_mut, reason = "the mask is for BPF")
)]
fn bounded(mut offset: usize) -> usize {
    #[cfg(target_arch = "bpf")]
    // SAFETY: changes nothing but its operand. The compiler drops a mask that it can prove needless.
    unsafe {
        asm!("{0} &= 16383", inout(reg) offset, options(pure, nomem, nostack));
    }
    offset
}

/// The same offset, of which the verifier now knows no more than its bound.
///
/// It would follow every way to a header on its own, and all that comes behind. It does not see that
/// a number less itself is zero, so that after this all ways are one to it.
#[inline(always)]
#[cfg_attr(
    not(target_arch = "bpf"),
    expect(unused_mut, unused_variables, reason = "for BPF")
)]
pub(super) fn opaque(frame: &Frame, mut offset: usize) -> usize {
    #[cfg(target_arch = "bpf")]
    // SAFETY: changes nothing but its operands; the offset is below 16,384.
    unsafe {
        asm!(
            "{1} = {2}",
            "{1} -= {2}",
            "{0} += {1}",
            "{0} &= 16383",
            inout(reg) offset,
            out(reg) _,
            in(reg) frame.bytes,
            options(pure, nomem, nostack)
        );
    }
    offset
}

/// An IPv4 address as the IPv6 address it is mapped to (RFC 4291, 2.5.5.2), in words as in a packet.
#[inline(always)]
pub(super) const fn mapped(address: [u16; 2]) -> [u32; 4] {
    [0, 0, 0xffff_u32.to_be(), join(address[0], address[1])]
}

/// An IPv6 address in words as in a packet.
#[inline(always)]
pub(super) const fn words(address: [u16; 8]) -> [u32; 4] {
    [
        join(address[0], address[1]),
        join(address[2], address[3]),
        join(address[4], address[5]),
        join(address[6], address[7]),
    ]
}

/// Both targets are little endian, so the half that lies first is the lower one.
#[inline(always)]
const fn join(first: u16, second: u16) -> u32 {
    first as u32 | (second as u32) << 16
}
