//! What each kind of packet counts as, told by the compiled programs themselves.

use std::net::IpAddr;

use agent::datapath::Direction;
use anyhow::{Context as _, Result, ensure};
use detect::{Outcome, Technique};
use tests::{
    Kernel,
    packet::{
        ACK, FIN, PEER, PEER_V6, POD, POD_V6, PSH, RST, SYN, Tcp, URG, ethernet, fragment,
        from_pod, from_pod_v6, icmp, icmpv6, ipv4, ipv6, to_pod, vlan,
    },
    without_root,
};

const TCP: u8 = 6;

/// What one packet of the pod counts as, in a fresh slot.
struct Sent {
    name: &'static str,
    packet: Vec<u8>,
    counted: Counted,
}

#[derive(Debug, PartialEq)]
enum Counted {
    Contact(IpAddr, u16, Technique),
    Nothing,
    Failure,
}

fn syn(port: u16) -> Tcp {
    Tcp {
        port,
        flags: SYN,
        words: 10,
        ..Tcp::default()
    }
}

fn flags(flags: u8) -> Vec<u8> {
    from_pod(&Tcp {
        port: 9,
        flags,
        ..Tcp::default()
    })
}

fn contact(port: u16, technique: Technique) -> Counted {
    Counted::Contact(PEER.into(), port, technique)
}

fn sent() -> Vec<Sent> {
    use Technique::{Connect, Fin, Null, Other, Syn, Xmas};
    let case = |name, packet, counted| Sent {
        name,
        packet,
        counted,
    };
    let v6 = |port| Counted::Contact(PEER_V6.into(), port, Connect);
    let tcp = syn(443).bytes();
    let hop = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    vec![
        case("syn", from_pod(&syn(443)), contact(443, Connect)),
        case(
            "bare syn",
            from_pod(&Tcp {
                words: 6,
                ..syn(80)
            }),
            contact(80, Syn),
        ),
        case("port 0", from_pod(&syn(0)), contact(0, Connect)),
        case(
            "port 65535",
            from_pod(&syn(65_535)),
            contact(65_535, Connect),
        ),
        case("null", flags(0), contact(9, Null)),
        case("fin", flags(FIN), contact(9, Fin)),
        case("xmas", flags(FIN | PSH | URG), contact(9, Xmas)),
        case("syn and fin", flags(SYN | FIN), contact(9, Other)),
        case("data", flags(ACK | PSH), Counted::Nothing),
        case("syn-ack", flags(SYN | ACK), Counted::Nothing),
        case("reset", flags(RST), Counted::Nothing),
        case(
            "ipv4 options",
            ipv4(TCP, 0, &[1; 40], POD, PEER, &tcp),
            contact(443, Connect),
        ),
        case(
            "one tag",
            vlan(&[0x8100], &from_pod(&syn(443))),
            contact(443, Connect),
        ),
        case(
            "two tags",
            vlan(&[0x88a8, 0x8100], &from_pod(&syn(443))),
            contact(443, Connect),
        ),
        case(
            "three tags",
            vlan(&[0x8100; 3], &from_pod(&syn(443))),
            Counted::Failure,
        ),
        case(
            "first fragment",
            fragment(0x2000, &tcp),
            contact(443, Connect),
        ),
        case("later fragment", fragment(0x2003, &tcp), Counted::Nothing),
        case(
            "cut tcp",
            ipv4(TCP, 0, &[], POD, PEER, &tcp[..12]),
            Counted::Failure,
        ),
        case(
            "udp",
            ipv4(17, 0, &[], POD, PEER, &[0; 8]),
            Counted::Nothing,
        ),
        case("arp", ethernet(0x0806, &[0; 28]), Counted::Nothing),
        case("ipv6", from_pod_v6(TCP, &tcp), v6(443)),
        case(
            "ipv6 hop-by-hop",
            from_pod_v6(0, &[&hop(TCP)[..], &tcp].concat()),
            v6(443),
        ),
        case(
            "ipv6 chain",
            from_pod_v6(
                0,
                &[&hop(60), &hop(43), &hop(60), &hop(TCP)[..], &tcp].concat(),
            ),
            v6(443),
        ),
        case(
            "ipv6 first fragment",
            from_pod_v6(44, &[&[TCP, 0, 0, 1, 0, 0, 0, 7][..], &tcp].concat()),
            v6(443),
        ),
        case(
            "ipv6 later fragment",
            from_pod_v6(44, &[&[TCP, 0, 0, 9, 0, 0, 0, 7][..], &tcp].concat()),
            Counted::Nothing,
        ),
        case(
            "ipv6 endless chain",
            from_pod_v6(60, &hop(60).repeat(8)),
            Counted::Failure,
        ),
        case("ipv6 cut chain", from_pod_v6(60, &[60]), Counted::Failure),
    ]
}

#[test]
fn what_the_pod_sends() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        for case in sent() {
            let counted = counted(&mut kernel, &case.packet).context(case.name)?;
            ensure!(counted == case.counted, "{}: {counted:?}", case.name);
        }
        Ok(())
    })
}

fn counted(kernel: &mut Kernel, packet: &[u8]) -> Result<Counted> {
    kernel.renew()?;
    kernel.from_pod(packet)?;
    let seen = kernel.drain()?;
    ensure!(
        seen.sent.packets == 1 && seen.received.packets == 0,
        "{seen:?}"
    );
    ensure!(seen.ports.len() == seen.contacts.len(), "{seen:?}");
    ensure!(kernel.drain()?.ports.is_empty(), "drained twice");
    Ok(match (&seen.contacts[..], seen.parse_failures) {
        ([], 0) => Counted::Nothing,
        ([], 1) => Counted::Failure,
        ([contact], 0) => {
            let Outcome::Sent(technique) = contact.outcome else {
                anyhow::bail!("{contact:?}")
            };
            ensure!(seen.ports == [contact.port], "{seen:?}");
            Counted::Contact(contact.peer, contact.port, technique)
        }
        _ => anyhow::bail!("{seen:?}"),
    })
}

/// What one packet to the pod counts as, after it initiated to port 443 of the peer.
#[test]
fn what_comes_back() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let back = |flags, sequence| {
        to_pod(&Tcp {
            port: 443,
            flags,
            sequence,
            ..Tcp::default()
        })
    };
    let quoted = ipv4(TCP, 0, &[], POD, PEER, &syn(443).bytes())[14..].to_vec();
    let quoted_v6 = from_pod_v6(TCP, &syn(443).bytes())[14..].to_vec();
    let other_port = ipv4(TCP, 0, &[], POD, PEER, &syn(444).bytes())[14..].to_vec();
    let (v4, v6): (IpAddr, IpAddr) = (PEER.into(), PEER_V6.into());
    let cases = [
        ("syn-ack", back(SYN | ACK, 7), Some((v4, Outcome::Answered))),
        (
            "reset of a syn",
            back(RST | ACK, 0),
            Some((v4, Outcome::Refused)),
        ),
        ("reset of a connection", back(RST | ACK, 7), None),
        ("reset without ack", back(RST, 0), None),
        (
            "port unreachable",
            icmp(3, 3, &quoted),
            Some((v4, Outcome::Refused)),
        ),
        (
            "prohibited",
            icmp(3, 13, &quoted),
            Some((v4, Outcome::Refused)),
        ),
        ("fragmentation needed", icmp(3, 4, &quoted), None),
        ("time exceeded", icmp(11, 0, &quoted), None),
        ("unreachable of another port", icmp(3, 3, &other_port), None),
        (
            "ipv6 unreachable",
            icmpv6(1, 4, &quoted_v6),
            Some((v6, Outcome::Refused)),
        ),
        ("ipv6 echo", icmpv6(128, 0, &quoted_v6), None),
    ];
    Kernel::with(async |mut kernel: Kernel| {
        for (name, packet, expected) in &cases {
            kernel.renew()?;
            kernel.from_pod(&from_pod(&syn(443)))?;
            kernel.drain()?;
            kernel.to_pod(packet)?;
            let seen = kernel.drain()?;
            let contact = seen.contacts.first().map(|it| (it.peer, it.outcome));
            ensure!(contact == *expected, "{name}: {seen:?}");
            let refused = matches!(expected, Some((_, Outcome::Refused)));
            ensure!((seen.refused == [443]) == refused, "{name}: {seen:?}");
            ensure!(seen.parse_failures == 0, "{name}: {seen:?}");
        }
        Ok(())
    })
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
    assert_eq!(seen.initiating_packets, 100);
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
    assert_eq!(seen.ports.len(), 20_000);
    assert_eq!(seen.contacts.len() as u64 + seen.records_dropped, 20_000);
    assert!(seen.records_dropped > 0, "the cap was never reached");
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

/// Exact at a rate of 1. At 16 the standard deviation of 40,000 packets is about 1.4 %: ten of it are allowed.
#[test]
fn volume_is_scaled_by_the_sample_rate() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    const PACKETS: u32 = 40_000;
    let packet = from_pod(&Tcp {
        port: 443,
        flags: ACK,
        ..Tcp::default()
    });
    for (rate, tolerance) in [(1, 0), (16, PACKETS / 7)] {
        let seen = Kernel::with(async |mut kernel: Kernel| {
            kernel.datapath.set_sample_rate(rate);
            kernel
                .injector
                .run(Direction::FromPod, kernel.subject.ifindex, &packet, PACKETS)?;
            kernel.drain()
        })?;
        let counted = [seen.sent.packets, seen.sent.bytes / packet.len() as u64];
        for count in counted {
            let error = count.abs_diff(u64::from(PACKETS));
            assert!(
                error <= u64::from(tolerance),
                "rate {rate}: counted {count}"
            );
        }
        assert_eq!(seen.sample_rate, rate);
    }
    Ok(())
}
