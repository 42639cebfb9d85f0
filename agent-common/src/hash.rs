//! Seeded hashes of hosts and endpoints.
//!
//! Every bit of a result depends on every bit of the input and of the secret seed (the finalizer of
//! MurmurHash3, <https://github.com/aappleby/smhasher>), so that no traffic can aim at an entry.

use crate::Transport;

/// Hash of a host, an IPv6 or mapped IPv4 address in words as in a packet.
#[inline(always)]
#[must_use]
pub const fn host_hash(seed: u64, host: &[u32; 4]) -> u64 {
    let first = join(host[0], host[1]);
    let second = join(host[2], host[3]);
    if first == 0 {
        mix(second ^ seed)
    } else {
        mix(mix(first ^ seed) ^ second)
    }
}

/// Hash of an endpoint, a host and a port of a transport.
///
/// ```
/// use agent_common::{Transport, endpoint_hash};
/// let (seed, host) = (7, [0, 0, 0xffff_0000, 0x0100_000a]);
/// let hash = |port, transport| endpoint_hash(seed, &host, port, transport);
/// assert_ne!(hash(53, Transport::Udp), hash(53, Transport::Tcp));
/// assert_ne!(hash(53, Transport::Udp), hash(54, Transport::Udp));
/// ```
#[inline(always)]
#[must_use]
pub const fn endpoint_hash(seed: u64, host: &[u32; 4], port: u16, transport: Transport) -> u64 {
    let port = (transport as u64 + 1) << 16 | port as u64;
    let first = join(host[0], host[1]);
    // A mapped IPv4 address leaves 32 bits free, so that one round holds it all.
    if first == 0 && host[2] == MAPPED {
        mix((port << 32 | host[3] as u64) ^ seed)
    } else {
        mix(mix(mix(first ^ seed) ^ join(host[2], host[3])) ^ port)
    }
}

/// The third word of an IPv4 address mapped to IPv6 (RFC 4291, 2.5.5.2), as it lies in a packet.
const MAPPED: u32 = 0xffff_u32.to_be();

#[inline(always)]
const fn join(first: u32, second: u32) -> u64 {
    (second as u64) << 32 | first as u64
}

#[inline(always)]
const fn mix(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^= value >> 33;
    value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ value >> 33
}
