//! The addresses that a slot takes for its pod's own.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::atomic::Ordering::{Relaxed, Release},
};

use agent_common::{ADDRESSES, SOURCES_V4, SOURCES_V6, Slot};

/// Tells the slot its pod's addresses. A family that has none, or more than there is room for, is left
/// out as a whole: nothing is called spoofed that may be the pod's.
///
/// The families are withdrawn first and given back last, so that no packet is held against half a list.
pub(super) fn set(slot: &Slot, addresses: &[IpAddr]) {
    let (own, families) = choose(addresses);
    slot.source_families.store(0, Release);
    for (cells, address) in slot.addresses.iter().zip(own) {
        for (cell, word) in cells.iter().zip(words(address)) {
            cell.store(word, Relaxed);
        }
    }
    slot.source_families.store(families, Release);
}

/// IPv4 first; IPv6 takes what room is left.
fn choose(addresses: &[IpAddr]) -> ([Ipv6Addr; ADDRESSES], u64) {
    let mut own = [Ipv6Addr::UNSPECIFIED; ADDRESSES];
    let (mut used, mut families) = (0, 0);
    for (bit, is_v4) in [(SOURCES_V4, true), (SOURCES_V6, false)] {
        let of_family = addresses.iter().map(IpAddr::to_canonical);
        let of_family: Vec<_> = of_family.filter(|it| it.is_ipv4() == is_v4).collect();
        if (1..=ADDRESSES - used).contains(&of_family.len()) {
            for address in of_family {
                own[used] = match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                used += 1;
            }
            families |= bit;
        }
    }
    (own, families)
}

/// As in a packet.
const fn words(address: Ipv6Addr) -> [u64; 2] {
    let bytes = address.octets();
    let [Some((&first, _)), Some((&second, _))] = [
        bytes.split_first_chunk::<8>(),
        bytes.split_at(8).1.split_first_chunk::<8>(),
    ] else {
        return [0; 2];
    };
    [u64::from_ne_bytes(first), u64::from_ne_bytes(second)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_there_as_a_whole_or_not_at_all() {
        let v4 = |last| IpAddr::from([10, 0, 0, last]);
        let v6 = |last| IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, last]);
        let cases = [
            (vec![], 0, 0),
            (vec![v4(1)], SOURCES_V4, 1),
            (vec![v6(1), v4(1)], SOURCES_V4 | SOURCES_V6, 2),
            ((1..=5).map(v4).collect(), 0, 0),
            (
                [v4(1)].into_iter().chain((1..=4).map(v6)).collect(),
                SOURCES_V4,
                1,
            ),
            ((1..=5).map(v4).chain([v6(1)]).collect(), SOURCES_V6, 1),
        ];
        for (addresses, families, used) in cases {
            let (own, told) = choose(&addresses);
            assert_eq!(told, families, "{addresses:?}");
            let kept = own.iter().filter(|it| !it.is_unspecified()).count();
            assert_eq!(kept, used, "{addresses:?}");
        }
        let mapped = words(std::net::Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped());
        assert_eq!(mapped[0], 0);
        assert_eq!(mapped[1].to_ne_bytes(), [0, 0, 0xff, 0xff, 10, 0, 0, 1]);
    }
}
