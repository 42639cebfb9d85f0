//! What each kind of packet counts as, told by the compiled programs themselves.

mod headers;
mod received;
mod sent;
mod told;
mod volume;

use std::net::IpAddr;

use anyhow::{Result, ensure};
use detect::{Count, Outcome, Technique};
use tests::{
    Kernel,
    packet::{ACK, PEER_V6, POD, POD_V6, RST, SYN, TCP, Tcp, from_pod, ipv4, ipv6, to_pod},
    without_root,
};

pub(crate) fn syn(port: u16) -> Tcp {
    Tcp {
        port,
        flags: SYN,
        words: 10,
        ..Tcp::default()
    }
}

/// Others cannot make a pod look refused or answered at ports it never tried.
#[test]
fn unasked_answers_count_for_nothing() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let seen = Kernel::with(async |mut kernel: Kernel| {
        for flags in [SYN | ACK, RST | ACK] {
            kernel.to_pod(&to_pod(&Tcp {
                port: 443,
                flags,
                ..Tcp::default()
            }))?;
        }
        kernel.drain()
    })?;
    assert!(
        seen.contacts.is_empty() && seen.refused.is_empty(),
        "{seen:?}"
    );
    Ok(())
}

/// A contact is reported once, however often it is tried, and its outcome once.
#[test]
fn retries_are_reported_once() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let seen = Kernel::with(async |mut kernel: Kernel| {
        for _ in 0..100 {
            kernel.from_pod(&from_pod(&syn(443)))?;
            let back = Tcp {
                port: 443,
                flags: RST | ACK,
                ..Tcp::default()
            };
            kernel.to_pod(&to_pod(&back))?;
        }
        kernel.drain()
    })?;
    assert_eq!(seen.initiating_packets(), 100);
    let outcomes: Vec<_> = seen.contacts.iter().map(|it| it.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Sent(Technique::Connect), Outcome::Refused]
    );
    Ok(())
}

/// What the cap on records drops is counted, and its ports are still exact.
#[test]
fn dropped_records_are_counted() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let seen = Kernel::with(async |mut kernel: Kernel| {
        for port in 0..20_000 {
            kernel.from_pod(&from_pod(&syn(port)))?;
        }
        kernel.drain()
    })?;
    assert_eq!(seen.tcp_ports.len(), 20_000);
    assert_eq!(seen.count(Count::NewPorts), 20_000);
    let dropped = seen.count(Count::RecordsDropped);
    assert_eq!(seen.contacts.len() as u64 + dropped, 20_000);
    assert!(dropped > 0, "the cap was never reached");
    Ok(())
}

#[test]
fn the_pod_s_addresses_are_told_apart_from_the_peer_s() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let seen = Kernel::with(async |mut kernel: Kernel| {
        kernel.from_pod(&from_pod(&syn(1)))?;
        kernel.from_pod(&ipv6(TCP, POD_V6, PEER_V6, &syn(2).bytes()))?;
        kernel.to_pod(&to_pod(&Tcp {
            port: 1,
            flags: SYN | ACK,
            ..Tcp::default()
        }))?;
        kernel.drain()
    })?;
    let pods: Vec<IpAddr> = seen.contacts.iter().map(|it| it.pod).collect();
    assert_eq!(pods, [IpAddr::from(POD), POD_V6.into(), POD.into()]);
    Ok(())
}

#[test]
fn hosts_are_told_by_what_they_do() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let seen = Kernel::with(async |mut kernel: Kernel| {
        let host = |last: u8| [10, 0, 3, last].into();
        for last in 1..=30 {
            let segment = |flags| Tcp {
                port: 443,
                flags,
                ..Tcp::default()
            };
            let probe = segment(SYN).bytes();
            kernel.from_pod(&ipv4(TCP, 0, &[], POD, host(last), &probe))?;
            // Its ports, swapped.
            let mut answer = segment(if last <= 20 { SYN | ACK } else { RST | ACK }).bytes();
            answer[..4].rotate_left(2);
            kernel.to_pod(&ipv4(TCP, 0, &[], host(last), POD, &answer))?;
        }
        for last in 1..=5 {
            let probe = syn(80).bytes();
            kernel.to_pod(&ipv4(TCP, 0, &[], host(last + 100), POD, &probe))?;
        }
        kernel.drain()
    })?;
    let hosts = seen.hosts;
    let cases = [
        ("contacted", hosts.contacted, 30),
        ("answered", hosts.answered, 20),
        ("refused", hosts.refused, 10),
        ("probing", hosts.probing, 5),
    ];
    for (what, sketch, expected) in cases {
        // Four standard deviations and rounding.
        let error = sketch.estimate().abs_diff(expected);
        assert!(error <= 4, "{what}: {} for {expected}", sketch.estimate());
    }
    Ok(())
}

#[test]
fn sources_that_are_not_the_pod_s_are_told() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let (own, own_v6) = (IpAddr::from(POD), IpAddr::from(POD_V6));
        let crowd: Vec<IpAddr> = (1..=5).map(|last| [10, 9, 9, last].into()).collect();
        let probe = |port| syn(port).bytes();
        let v4 =
            |source: [u8; 4]| ipv4(TCP, 0, &[], source.into(), [10, 0, 0, 9].into(), &probe(1));
        let v6 = |source: &str| -> Result<Vec<u8>> {
            Ok(ipv6(TCP, source.parse()?, PEER_V6, &probe(2)))
        };
        let cases = [
            ("own", &[own][..], v4([10, 0, 0, 1]), false),
            ("another's", &[own], v4([10, 0, 0, 7]), true),
            ("none yet", &[own], v4([0, 0, 0, 0]), false),
            ("nothing known", &[], v4([10, 0, 0, 7]), false),
            ("too many known", &crowd, v4([10, 0, 0, 7]), false),
            ("ipv6, only ipv4 known", &[own], v6("fd00::7")?, false),
            ("own of two", &[own, own_v6], v6("fd00::1")?, false),
            ("another's ipv6", &[own, own_v6], v6("fd00::7")?, true),
            ("link-local", &[own, own_v6], v6("fe80::7")?, false),
        ];
        for (name, addresses, packet, spoofed) in cases {
            kernel.renew()?;
            kernel.datapath.set_addresses(kernel.subject, addresses);
            kernel.from_pod(&packet)?;
            let seen = kernel.drain()?;
            let told = seen.contacts.first().map(|contact| contact.spoofed);
            ensure!(told == Some(spoofed), "{name}: {seen:?}");
            ensure!(
                seen.count(Count::Spoofed) == u64::from(spoofed),
                "{name}: {seen:?}"
            );
        }
        Ok(())
    })
}
