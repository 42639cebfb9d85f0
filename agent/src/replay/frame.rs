//! The addresses of a frame, as far as it takes to tell whose it is.

use std::net::IpAddr;

/// An Ethernet address.
pub(super) type Mac = [u8; 6];

/// Source and destination, on the wire and behind it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Addresses {
    /// All zero when the capture has none.
    pub(super) macs: (Mac, Mac),
    /// Of IP, and of address resolution: who asks, and for whom.
    pub(super) hosts: Option<(IpAddr, IpAddr)>,
    /// Whether it is address resolution.
    pub(super) asks: bool,
}

impl Addresses {
    pub(super) fn of(frame: &[u8]) -> Self {
        let macs = part(frame, 6).zip(part(frame, 0)).unwrap_or_default();
        Self {
            macs,
            hosts: hosts(frame, 12),
            asks: part(frame, 12) == Some(ARP),
        }
    }
}

const ARP: [u8; 2] = [0x08, 0x06];

fn hosts(frame: &[u8], type_at: usize) -> Option<(IpAddr, IpAddr)> {
    let behind = type_at + 2;
    let pair = |source, destination| {
        let v4 = |at| part::<4>(frame, behind + at).map(IpAddr::from);
        v4(source).zip(v4(destination))
    };
    match part::<2>(frame, type_at)? {
        [0x08, 0x00] => pair(12, 16),
        ARP => pair(14, 24),
        [0x86, 0xdd] => {
            let v6 = |at| part::<16>(frame, behind + at).map(IpAddr::from);
            v6(8).zip(v6(24))
        }
        // VLAN tags: two at most, as in the programs.
        [0x81, 0x00] | [0x88, 0xa8] if type_at < 20 => hosts(frame, type_at + 4),
        _ => None,
    }
}

fn part<const N: usize>(frame: &[u8], start: usize) -> Option<[u8; N]> {
    frame.get(start..start + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(ether_types: &[u8], payload: &[u8]) -> Vec<u8> {
        [&[1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], ether_types, payload].concat()
    }

    #[test]
    fn addresses_are_found_behind_tags_and_in_arp() {
        let v4 = [&[0; 12][..], &[10, 0, 0, 1, 10, 0, 0, 2]].concat();
        let arp = [&[0; 14][..], &[10, 0, 0, 1], &[0; 6], &[10, 0, 0, 2]].concat();
        let v6 = [&[0; 23][..], &[1], &[0; 15], &[2]].concat();
        let ten = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        let loopback = ["::1", "::2"].map(|it| it.parse::<IpAddr>().unwrap());
        type Case<'a> = (&'a [u8], &'a [u8], Option<[IpAddr; 2]>);
        let cases: [Case<'_>; 6] = [
            (&[0x08, 0x00], &v4, Some(ten)),
            (&[0x81, 0, 0, 5, 0x08, 0x00], &v4, Some(ten)),
            (
                &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 5, 0x08, 0x00],
                &v4,
                Some(ten),
            ),
            (&[0x08, 0x06], &arp, Some(ten)),
            (&[0x86, 0xdd], &v6, Some(loopback)),
            (&[0x08, 0x00], &v4[..19], None),
        ];
        for (types, payload, expected) in cases {
            let addresses = Addresses::of(&frame(types, payload));
            assert_eq!(addresses.hosts.map(|(a, b)| [a, b]), expected, "{types:x?}");
            assert_eq!(addresses.macs, ([2; 6], [1; 6]), "{types:x?}");
            assert_eq!(addresses.asks, types == ARP, "{types:x?}");
        }
        assert_eq!(Addresses::of(&[1, 2, 3]), Addresses::default());
    }
}
