//! Which side of a capture is the pod.

use std::{fmt, net::IpAddr, str::FromStr};

use agent_common::Direction;

use super::frame::{Addresses, Mac};

/// An address that tells the pod's packets from all others.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum PodAddress {
    /// Of its interface: also packets with a forged source are its own.
    Mac([u8; 6]),
    /// Of IP.
    Ip(IpAddr),
}

/// Neither kind of address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it takes an IP address, or a MAC address such as 02:42:0a:f4:00:0b")]
pub struct PodAddressError;

impl PodAddress {
    pub(super) const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address),
            Self::Mac(_) => None,
        }
    }
}

impl FromStr for PodAddress {
    type Err = PodAddressError;

    fn from_str(text: &str) -> Result<Self, PodAddressError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let byte = |part: &str| match part.len() {
            2 => u8::from_str_radix(part, 16).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        let mac: Option<Mac> = bytes.and_then(|bytes| bytes.try_into().ok());
        mac.map(Self::Mac).ok_or(PodAddressError)
    }
}

impl fmt::Display for PodAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Mac([a, b, c, d, e, g]) => {
                write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
            }
        }
    }
}

/// Which way the packet crosses the veth of the pod with `addresses`: whoever else sent it, the pod got it.
pub(super) fn direction(pod: &[PodAddress], packet: &Addresses) -> Direction {
    let sent = pod.iter().any(|address| match address {
        PodAddress::Mac(mac) => packet.macs.0 == *mac,
        PodAddress::Ip(ip) => packet.hosts.is_some_and(|(source, _)| source == *ip),
    });
    if sent {
        Direction::FromPod
    } else {
        Direction::ToPod
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_named_by_either_address() {
        for text in ["10.0.0.1", "fd00::1", "02:42:0a:f4:00:0b"] {
            assert_eq!(text.parse::<PodAddress>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "app1",
            "02:42:0a:f4:00",
            "02:42:0a:f4:00:0b:0c",
            "2:42:a:f4:0:b",
        ] {
            assert_eq!(text.parse::<PodAddress>(), Err(PodAddressError), "{text}");
        }
    }

    #[test]
    fn what_the_pod_did_not_send_it_got() {
        let hosts = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        let packet = Addresses {
            macs: ([2; 6], [4; 6]),
            hosts: Some((hosts[0], hosts[1])),
            asks: false,
        };
        let cases = [
            (vec![PodAddress::Mac([2; 6])], Direction::FromPod),
            (vec![PodAddress::Mac([4; 6])], Direction::ToPod),
            (
                vec![PodAddress::Mac([6; 6]), PodAddress::Ip(hosts[0])],
                Direction::FromPod,
            ),
            (vec![PodAddress::Ip(hosts[1])], Direction::ToPod),
        ];
        for (pod, expected) in cases {
            assert_eq!(direction(&pod, &packet), expected, "{pod:?}");
        }
    }
}
