//! A contained pod keeps what it uses, and reaches nothing new.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use agent::datapath::monotonic;
use agent_common::PortSet;
use anyhow::{Context as _, Result, ensure};
use detect::{Budget, Count, Observation, Transport};
use tests::{
    Kernel,
    packet::{ACK, FIN, ICMP, SYN, Tcp, UDP, from_pod, sent, udp},
    wait_for, without_root,
};

const LONG: Duration = Duration::from_secs(3600);
const KNOWN: u16 = 443;
const NEW: u16 = 444;

fn flags(port: u16, flags: u8) -> Vec<u8> {
    from_pod(&Tcp {
        port,
        flags,
        ..Tcp::default()
    })
}

fn datagram(port: u16) -> Vec<u8> {
    sent(UDP, &udp(40_000, port, b""))
}

/// One that used a port over TCP and one over UDP before.
fn contained(kernel: &mut Kernel) -> Result<()> {
    for packet in [flags(KNOWN, SYN), datagram(KNOWN)] {
        ensure!(kernel.passes(&packet)?, "dropped before it is contained");
    }
    kernel.drain()?;
    kernel.datapath.contain(kernel.subject, monotonic() + LONG);
    Ok(())
}

fn knows(kernel: &Kernel, port: u16) -> Result<bool> {
    let slot = kernel.datapath.slot(kernel.subject).context("no slot")?;
    let (word, bit) = PortSet::locate(port);
    Ok(slot.tcp.window.words[word].load(Relaxed) & bit != 0)
}

#[test]
fn only_new_ports_are_dropped() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        contained(&mut kernel)?;
        let cases = [
            ("known port", flags(KNOWN, SYN), true),
            ("new port", flags(NEW, SYN), false),
            ("new port again", flags(NEW, SYN), false),
            ("new port, fin scan", flags(NEW + 1, FIN), false),
            ("connection that is not known", flags(NEW + 2, ACK), true),
            ("known port over udp", datagram(KNOWN), true),
            ("new port over udp", datagram(NEW), false),
            ("ping", sent(ICMP, &[8, 0, 0, 0, 0, 0, 0, 0]), true),
        ];
        for (name, packet, passes) in cases {
            ensure!(kernel.passes(&packet)? == passes, "{name}");
        }
        let seen = kernel.drain()?;
        ensure!(seen.count(Count::Contained) == 4, "{seen:?}");
        ensure!(told_contained(&seen) == [NEW, NEW + 1, NEW], "{seen:?}");
        ensure!(seen.tcp_ports.contains(&NEW), "attempts are told: {seen:?}");
        ensure!(!knows(&kernel, NEW)?, "an attempt made it known");
        Ok(())
    })
}

/// The ports of contacts that were dropped, each told once.
fn told_contained(seen: &Observation) -> Vec<u16> {
    let contacts = seen.contacts.iter();
    contacts
        .filter(|it| it.contained)
        .map(|it| it.port)
        .collect()
}

#[test]
fn it_ends_with_the_lease_or_by_release() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        contained(&mut kernel)?;
        ensure!(!kernel.passes(&flags(NEW, SYN))?);
        kernel.datapath.release(kernel.subject);
        ensure!(kernel.passes(&flags(NEW, SYN))?, "not released");
        ensure!(knows(&kernel, NEW)?, "not known after it passed");

        kernel.datapath.contain(kernel.subject, monotonic());
        ensure!(kernel.passes(&flags(NEW + 1, SYN))?, "the lease is over");
        Ok(())
    })
}

/// Ports do not age meanwhile, and no attempt opens one, not even when it is drained late.
#[test]
fn what_it_knows_stays_the_same_meanwhile() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        contained(&mut kernel)?;
        let start = monotonic();
        for minutes in 1..=3 {
            ensure!(!kernel.passes(&flags(NEW, SYN))?, "after {minutes} minutes");
            kernel
                .datapath
                .drain(start + Duration::from_secs(61) * minutes);
            ensure!(
                kernel.passes(&flags(KNOWN, SYN))?,
                "after {minutes} minutes"
            );
        }
        // The lease is over for the drains, and its ports are old, but the attempt was dropped.
        kernel.datapath.drain(start + LONG + Duration::from_secs(1));
        ensure!(!kernel.passes(&flags(NEW, SYN))?);
        kernel
            .datapath
            .drain(start + LONG + Duration::from_secs(100));
        ensure!(!knows(&kernel, NEW)?, "an attempt opened the port");
        ensure!(!knows(&kernel, KNOWN)?, "ports age again");
        Ok(())
    })
}

/// While user space is on its way there, a trip holds the pod; what it used before goes on.
#[test]
fn a_trip_holds_an_armed_pod_until_it_is_judged() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let budget = Budget {
            ports: 3,
            refused: u32::MAX,
        };
        for (armed, held) in [(LONG, true), (Duration::ZERO, false)] {
            kernel.renew()?;
            let subject = kernel.subject;
            kernel.datapath.arm(subject, armed);
            kernel.datapath.allow_holds(1, monotonic());
            kernel.drain()?;
            kernel.datapath.set_budget(subject, budget);
            for port in 1..=3 {
                ensure!(kernel.passes(&flags(port, SYN))?, "{port} is in the budget");
            }
            ensure!(kernel.passes(&flags(4, SYN))? != held, "armed {armed:?}");
            ensure!(kernel.passes(&flags(1, SYN))?, "it is known");
            ensure!(kernel.datapath.leases().is_empty(), "it is no lease");
            ensure!(kernel.datapath.let_go(subject) == held, "armed {armed:?}");
            ensure!(kernel.passes(&flags(5, SYN))?, "it is judged");
        }
        kernel.renew()?;
        kernel
            .datapath
            .arm(kernel.subject, Duration::from_millis(1));
        kernel.datapath.allow_holds(1, monotonic());
        kernel.drain()?;
        kernel.datapath.set_budget(kernel.subject, budget);
        for port in 1..=3 {
            ensure!(kernel.passes(&flags(port, SYN))?);
        }
        wait_for("the hold to end by itself", LONG, || {
            Ok(kernel.passes(&flags(4, SYN))?.then_some(()))
        })
    })
}

/// The caps bind what nobody has judged yet, too.
#[test]
fn no_more_trips_hold_than_user_space_allows() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let budget = Budget {
            ports: 3,
            refused: u32::MAX,
        };
        let subject = kernel.subject;
        kernel.datapath.arm(subject, LONG);
        // The second time, the one that is held still is the one that is allowed.
        for (first, allowed, held) in [(10, 1, true), (20, 1, false), (30, 1, true), (40, 0, false)]
        {
            kernel.datapath.allow_holds(allowed, monotonic());
            kernel.datapath.let_go(subject);
            kernel.drain()?;
            kernel.datapath.set_budget(subject, budget);
            for port in first..first + 3 {
                ensure!(kernel.passes(&flags(port, SYN))?, "{port} is in the budget");
            }
            let passes = kernel.passes(&flags(first + 3, SYN))?;
            ensure!(passes != held, "{allowed} allowed, from port {first}");
        }
        Ok(())
    })
}

/// What a pod used an hour ago, user space knows alone, and says.
#[test]
fn what_it_is_told_to_know_passes_too() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        contained(&mut kernel)?;
        let subject = kernel.subject;
        ensure!(!kernel.passes(&flags(NEW, SYN))?);
        kernel.datapath.know(subject, Transport::Tcp, NEW);
        ensure!(kernel.passes(&flags(NEW, SYN))?, "it is known by now");
        ensure!(!kernel.passes(&datagram(NEW))?, "over TCP alone");
        kernel.datapath.release(subject);
        let start = monotonic();
        for seconds in [1, 70, 140] {
            kernel.datapath.drain(start + Duration::from_secs(seconds));
        }
        ensure!(!knows(&kernel, NEW)?, "it ages as others do");
        Ok(())
    })
}
