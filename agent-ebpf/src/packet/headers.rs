//! Headers as they lie in a packet, and the one way to reach them.
#![expect(unsafe_code, reason = "packets are reached by pointers")]

use core::arch::asm;

use aya_ebpf::programs::TcContext;

/// A header layout.
///
/// # Safety
///
/// Any bytes must be a valid value, and the alignment at most 2: the kernel aligns packets to no more,
/// and every header before has an even length.
pub(crate) unsafe trait Header {}

/// The header at `offset`, if the linear part of the packet holds all of it.
///
/// One check for the whole header: with a check for each field LLVM merges offsets in ways that the
/// verifier refuses.
#[inline(always)]
pub(crate) fn header<T: Header>(ctx: &TcContext, offset: usize) -> Option<&T> {
    let start = ctx.data() + bounded(offset);
    if start + size_of::<T>() > ctx.data_end() {
        return None;
    }
    // SAFETY: the header lies within the packet, and `T: Header` is valid for any bytes.
    Some(unsafe { &*(start as *const T) })
}

#[repr(C)]
pub(crate) struct Vlan {
    pub(crate) tag: u16,
    pub(crate) ether_type: u16,
}

#[repr(C)]
pub(crate) struct Ipv4 {
    pub(crate) version_and_words: u8,
    pub(crate) service: u8,
    pub(crate) total_bytes: u16,
    pub(crate) identification: u16,
    pub(crate) fragment: u16,
    pub(crate) time_to_live: u8,
    pub(crate) protocol: u8,
    pub(crate) checksum: u16,
    pub(crate) source: [u16; 2],
    pub(crate) destination: [u16; 2],
}

#[repr(C)]
pub(crate) struct Ipv6 {
    pub(crate) version_and_class: u8,
    pub(crate) class_and_flow: u8,
    pub(crate) flow: u16,
    pub(crate) payload_bytes: u16,
    pub(crate) next: u8,
    pub(crate) hop_limit: u8,
    pub(crate) source: [u16; 8],
    pub(crate) destination: [u16; 8],
}

/// The part that all IPv6 extension headers have in common, and what the fragment header has there.
#[repr(C)]
pub(crate) struct Ipv6Extension {
    pub(crate) next: u8,
    pub(crate) length: u8,
    pub(crate) fragment: u16,
}

#[repr(C)]
pub(crate) struct TcpHeader {
    pub(crate) ports: Ports,
    pub(crate) sequence: [u16; 2],
    pub(crate) acknowledgement: [u16; 2],
    pub(crate) words: u8,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) checksum: u16,
    pub(crate) urgent: u16,
}

/// The part of a TCP header that an ICMP error quotes for certain.
#[repr(C)]
pub(crate) struct Ports {
    pub(crate) source: u16,
    pub(crate) destination: u16,
}

#[repr(C)]
pub(crate) struct Icmp {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) checksum: u16,
    pub(crate) rest: [u16; 2],
}

// SAFETY: integers of at most 16 bits.
unsafe impl Header for Vlan {}
// SAFETY: integers of at most 16 bits.
unsafe impl Header for Ipv4 {}
// SAFETY: integers of at most 16 bits.
unsafe impl Header for Ipv6 {}
// SAFETY: integers of at most 16 bits.
unsafe impl Header for Ipv6Extension {}
// SAFETY: integers of at most 16 bits.
unsafe impl Header for TcpHeader {}
// SAFETY: integers of at most 16 bits.
unsafe impl Header for Ports {}
// SAFETY: integers of at most 16 bits.
unsafe impl Header for Icmp {}

/// A port in host order.
///
/// Verifiers before Linux 6.13 forget every bound of a value whose bytes are swapped.
#[inline(always)]
pub(crate) fn port(network_order: u16) -> u16 {
    let mut port = u64::from(u16::from_be(network_order));
    // SAFETY: changes nothing but its operand. The compiler drops a mask that it can prove needless.
    unsafe { asm!("{0} &= 65535", inout(reg) port, options(pure, nomem, nostack)) };
    port as u16
}

/// An offset that the verifier knows to be small, which the compiler may have put together from parts.
///
/// The farthest header lies 12 kB into a packet, behind six of the longest IPv6 extension headers.
#[inline(always)]
fn bounded(mut offset: usize) -> usize {
    // SAFETY: changes nothing but its operand. The compiler drops a mask that it can prove needless.
    unsafe { asm!("{0} &= 16383", inout(reg) offset, options(pure, nomem, nostack)) };
    offset
}

/// An IPv4 address as the IPv6 address it is mapped to (RFC 4291, 2.5.5.2), in words as in a packet.
#[inline(always)]
pub(crate) const fn mapped(address: [u16; 2]) -> [u32; 4] {
    [0, 0, 0xffff_u32.to_be(), join(address[0], address[1])]
}

/// An IPv6 address in words as in a packet.
#[inline(always)]
pub(crate) const fn words(address: [u16; 8]) -> [u32; 4] {
    [
        join(address[0], address[1]),
        join(address[2], address[3]),
        join(address[4], address[5]),
        join(address[6], address[7]),
    ]
}

/// The BPF target is little endian, so the half that lies first is the lower one.
#[inline(always)]
const fn join(first: u16, second: u16) -> u32 {
    first as u32 | (second as u32) << 16
}
