//! A reply initiates nothing, for as long as the endpoint is remembered that it goes to.

use std::{net::Ipv4Addr, time::Duration};

use agent::datapath::monotonic;
use anyhow::{Result, ensure};
use detect::{Class, Count, Observation};
use tests::{
    Kernel,
    packet::{PEER, UDP, ipv4, received, sent, udp},
    without_root,
};

const TURN: Duration = Duration::from_secs(60);

fn initiates(seen: &Observation) -> Result<bool> {
    let udp = seen.initiated[Class::Udp as usize];
    let replies = seen.count(Count::Replies);
    ensure!(udp + replies == 1, "{seen:?}");
    Ok(udp == 1)
}

#[test]
fn an_endpoint_is_forgotten_after_both_turns() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let reply = sent(UDP, &udp(40_000, 5060, b""));
        let start = monotonic();
        kernel.datapath.drain(start);
        kernel.to_pod(&received(UDP, &udp(5060, 40_000, b"")))?;
        kernel.drain()?;
        for (turns, forgotten) in [(0, false), (1, false), (2, true)] {
            kernel.datapath.drain(start + TURN * turns);
            kernel.from_pod(&reply)?;
            let seen = kernel.datapath.drain(start + TURN * turns);
            ensure!(initiates(&seen[0])? == forgotten, "after {turns} turns");
        }
        Ok(())
    })
}

#[test]
fn only_the_same_endpoint_is_answered() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let group = Ipv4Addr::new(224, 0, 0, 251);
        kernel.to_pod(&ipv4(UDP, 0, &[], PEER, group, &udp(5353, 5353, b"")))?;
        kernel.drain()?;
        let other = Ipv4Addr::new(10, 0, 0, 77);
        let to = |host, port| ipv4(UDP, 0, &[], tests::packet::POD, host, &udp(5353, port, b""));
        let cases = [
            ("who sent to a group", to(PEER, 5353), false),
            ("another port", to(PEER, 5354), true),
            ("another host", to(other, 5353), true),
        ];
        for (name, packet, expected) in cases {
            kernel.from_pod(&packet)?;
            ensure!(initiates(&kernel.drain()?)? == expected, "{name}");
        }
        Ok(())
    })
}

/// 3,000 endpoints set three of 8,192 bits each: 67 % of them, in expectation.
#[test]
fn the_fill_of_the_filter_is_told_when_it_is_retired() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let start = monotonic();
        kernel.datapath.drain(start);
        for port in 1..=3000 {
            kernel.to_pod(&received(UDP, &udp(port, 40_000, b"")))?;
        }
        let percent = |seen: Vec<Observation>| seen.first().map(|it| it.reply_filter_percent);
        ensure!(percent(kernel.datapath.drain(start + TURN)) == Some(0));
        let told = percent(kernel.datapath.drain(start + TURN));
        ensure!(
            told.is_some_and(|told| (60..75).contains(&told)),
            "{told:?}"
        );
        ensure!(percent(kernel.datapath.drain(start + TURN * 2)) == told);
        ensure!(percent(kernel.datapath.drain(start + TURN * 2)) == Some(0));
        Ok(())
    })
}
