//! The scan itself: what the stack of the node sends for a program that connects.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use futures_util::FutureExt as _;
use tokio::net::TcpSocket;

use super::{
    error::CanaryError,
    veth::{ADDRESS, OTHER},
};
use crate::interfaces::{CANARY, CANARY_SENDER};

/// Ports of one scan: twice what is found at once.
pub(super) const PORTS: u16 = 32;
/// Of targets: 192.0.2.2 and on, which are nobody's (RFC 5737).
const TARGETS: u64 = 250;
/// Groups of ports below those that are handed out at random.
const GROUPS: u64 = 280;
const FIRST_PORT: u16 = 1024;

/// Packets of one scan, and those that come back to the sender.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) packets: u64,
    pub(super) back: u64,
}

/// One end of the pair, and the address it sends from.
type End = (&'static str, Ipv4Addr);

/// Sends one SYN to each port, and no more; how many left.
pub(super) fn send(run: u64) -> Result<u64, CanaryError> {
    let (target, first) = aim(run);
    each((CANARY_SENDER, ADDRESS), target, first)
}

/// The same the other way, as somebody who scans the sender.
pub(super) fn send_back(run: u64) -> Result<u64, CanaryError> {
    let (_, first) = aim(run);
    each((CANARY, OTHER), ADDRESS, first)
}

fn each(from: End, target: Ipv4Addr, first: u16) -> Result<u64, CanaryError> {
    let mut sent = 0;
    let mut refused = None;
    for port in first..first + PORTS {
        match probe(from, (target, port).into()) {
            Ok(()) => sent += 1,
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    match refused {
        Some(source) if sent == 0 => Err(CanaryError::Send {
            interface: from.0,
            source,
        }),
        _ => Ok(sent),
    }
}

/// Every run has a target and ports that were not tried of late: only those are new to the sensor.
fn aim(run: u64) -> (Ipv4Addr, u16) {
    let [a, b, c, last] = ADDRESS.octets();
    let target = last + 1 + (run % TARGETS) as u8;
    let group = (run / TARGETS % GROUPS) as u16;
    (Ipv4Addr::new(a, b, c, target), FIRST_PORT + PORTS * group)
}

fn probe((interface, own): End, target: SocketAddr) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.bind((own, 0).into())?;
    // The first poll sends the SYN, and closing the socket before the answer sends nothing.
    match socket.connect(target).now_or_never() {
        Some(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_month_of_scans_tries_nothing_twice_in_a_day() {
        let mut tried = BTreeSet::new();
        for run in 0..24 * 60 {
            assert!(tried.insert(aim(run)), "{run}");
        }
        for run in 0..31 * 24 * 60 {
            let (target, first) = aim(run);
            assert!((2..=251).contains(&target.octets()[3]));
            assert!(first >= FIRST_PORT && first + PORTS <= 10_240, "{first}");
        }
    }
}
