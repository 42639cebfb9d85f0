//! The few hosts and ports that packets are between.

use fastrand::Rng;

/// An address in network order; IPv4 ones take the last four bytes.
pub(super) type Address = [u8; 16];

/// One of several.
pub(super) fn one_of<T: Copy>(rng: &mut Rng, several: &[T]) -> T {
    several[rng.usize(..several.len())]
}

/// The pod's own addresses: two of each family.
pub(super) fn of_pod(rng: &mut Rng, is_v6: bool) -> Address {
    match rng.u8(..20) {
        0 => strange(rng, is_v6),
        1 => host(2, rng.u8(..8), is_v6),
        _ => host(0, rng.u8(1..3), is_v6),
    }
}

/// Someone else's.
pub(super) fn of_peer(rng: &mut Rng, is_v6: bool) -> Address {
    match rng.u8(..40) {
        0 => strange(rng, is_v6),
        1 => host(0, rng.u8(1..3), is_v6),
        2 => host(rng.u8(..), rng.u8(..), is_v6),
        _ => host(1, rng.u8(..24), is_v6),
    }
}

/// Ports that are alike in some word or bit of a set, and now and then any.
pub(super) fn port(rng: &mut Rng) -> u16 {
    const PORTS: [u16; 16] = [
        0, 1, 22, 53, 63, 64, 80, 443, 1023, 8080, 32_767, 32_768, 40_000, 40_064, 65_472, 65_535,
    ];
    if rng.u8(..16) == 0 {
        rng.u16(..)
    } else {
        one_of(rng, &PORTS)
    }
}

fn host(net: u8, number: u8, is_v6: bool) -> Address {
    if is_v6 {
        [0xfd, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number]
    } else {
        v4([10, net, 0, number])
    }
}

const fn v4([a, b, c, d]: [u8; 4]) -> Address {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}

/// Addresses that are of nobody, of many, or of the other family in disguise.
fn strange(rng: &mut Rng, is_v6: bool) -> Address {
    let last = rng.u8(..4);
    let kind = rng.u8(..5);
    if !is_v6 {
        return v4(match kind {
            0 => [0, 0, 0, 0],
            1 => [255, 255, 255, 255],
            2 => [224, 0, 0, last],
            3 => [169, 254, 1, last],
            _ => [127, 0, 0, last],
        });
    }
    let mut address = [0; 16];
    address[15] = last;
    match kind {
        0 => address[15] = 0,
        1 => address[..2].copy_from_slice(&[0xfe, 0x80 | last << 4]),
        2 => address[..2].copy_from_slice(&[0xff, 0x02]),
        3 => address = v4([10, 0, 0, last]),
        _ => address[..2].copy_from_slice(&[0xfe, 0xc0]),
    }
    address
}
