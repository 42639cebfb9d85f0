//! Link types, and the Ethernet header that packets get who have none.

/// As much of a frame as the programs look at, and a good deal less than the page that the kernel takes.
const KEPT_BYTES: usize = 2048;
const ETHERNET_BYTES: usize = 14;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// How packets begin (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Link {
    Ethernet,
    /// With the IP header, this many bytes in.
    Ip(usize),
    /// Captured at `any` interface of Linux, in two versions.
    Cooked,
    Cooked2,
}

impl Link {
    pub(super) const fn of(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::Ethernet),
            // Raw IP, and what some systems write for it.
            12 | 14 | 101 | 228 | 229 => Some(Self::Ip(0)),
            // BSD loopback: an address family in the byte order of whoever wrote it.
            0 | 108 => Some(Self::Ip(4)),
            113 => Some(Self::Cooked),
            276 => Some(Self::Cooked2),
            _ => None,
        }
    }

    /// Makes `frame` the packet with an Ethernet header.
    pub(super) fn ethernet(self, data: &[u8], frame: &mut Vec<u8>) {
        frame.clear();
        let (header, sender, ether_type) = match self {
            Self::Ethernet => {
                frame.extend_from_slice(&data[..data.len().min(KEPT_BYTES)]);
                return;
            }
            Self::Ip(header) => (header, None, ip_version(data.get(header))),
            Self::Cooked => (16, mac(data, 4..6, 6), two(data, 14)),
            Self::Cooked2 => (20, mac(data, 11..12, 12), two(data, 0)),
        };
        frame.extend_from_slice(&[0; ETHERNET_BYTES]);
        frame[6..12].copy_from_slice(&sender.unwrap_or_default());
        frame[12..].copy_from_slice(&ether_type.unwrap_or_default().to_be_bytes());
        let packet = data.get(header..).unwrap_or_default();
        frame.extend_from_slice(&packet[..packet.len().min(KEPT_BYTES)]);
    }
}

fn ip_version(first: Option<&u8>) -> Option<u16> {
    match first? >> 4 {
        4 => Some(IPV4),
        6 => Some(IPV6),
        _ => None,
    }
}

/// The sender's address at `start`, if the length before it says that it is one of Ethernet.
fn mac(data: &[u8], length: std::ops::Range<usize>, start: usize) -> Option<[u8; 6]> {
    match data.get(length)? {
        [6] | [0, 6] => data.get(start..start + 6)?.try_into().ok(),
        _ => None,
    }
}

fn two(data: &[u8], start: usize) -> Option<u16> {
    let bytes = data.get(start..start + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_without_an_ethernet_header_get_one() {
        let ip = [0x45, 1, 2, 3];
        let cooked = [&[0, 0, 0, 1, 0, 6, 2, 3, 4, 5, 6, 7, 0, 0, 8, 0], &ip[..]].concat();
        let cooked2 = [
            &[
                0x08, 0x06, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 2, 3, 4, 5, 6, 7, 0, 0,
            ],
            &ip[..],
        ]
        .concat();
        let sender = [0, 0, 0, 0, 0, 0, 2, 3, 4, 5, 6, 7];
        let cases = [
            (101, ip.to_vec(), [[0; 12], [0; 12]][0], IPV4),
            (229, vec![0x60, 9], [0; 12], IPV6),
            (0, [&[2, 0, 0, 0], &ip[..]].concat(), [0; 12], IPV4),
            (113, cooked, sender, IPV4),
            (276, cooked2, sender, 0x0806),
            (101, Vec::new(), [0; 12], 0),
        ];
        for (number, data, addresses, ether_type) in cases {
            let mut frame = vec![9; 99];
            Link::of(number).unwrap().ethernet(&data, &mut frame);
            assert_eq!(frame[..12], addresses, "link type {number}");
            assert_eq!(
                frame[12..14],
                ether_type.to_be_bytes(),
                "link type {number}"
            );
            assert!(data.ends_with(&frame[14..]), "link type {number}");
        }
        assert_eq!(Link::of(127), None, "radio");
    }

    #[test]
    fn frames_are_cut_to_what_the_kernel_takes() {
        let mut frame = Vec::new();
        Link::Ethernet.ethernet(&[7; 65_000], &mut frame);
        assert_eq!(frame, [7; KEPT_BYTES]);
    }
}
