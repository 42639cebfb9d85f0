//! What holds for all detectors together.

use std::{collections::BTreeSet, net::IpAddr};

use super::*;
use crate::{Contact, Outcome, Sample, SampleKind, State, Technique, Transport, probes::PROBES};

const SUBJECT: Subject = Subject {
    ifindex: 1,
    epoch: 1,
};

fn contact(at: Time, host: u32, port: u16, outcome: Outcome) -> Contact {
    Contact {
        at,
        pod: IpAddr::from([10, 0, 0, 1]),
        peer: IpAddr::from((u128::from(host) + 1).to_be_bytes()),
        port,
        transport: Transport::Tcp,
        outcome,
        spoofed: false,
        contained: false,
    }
}

#[test]
fn no_traffic_makes_a_pod_remember_more_than_its_bound() {
    const SENT: Outcome = Outcome::Sent(Technique::Syn);
    let answered = |_: u32| Outcome::Answered;
    let refused = |_: u32| Outcome::Refused;
    let mixed = |n: u32| [SENT, Outcome::Refused][n as usize % 2];
    for (shape, hosts, ports, outcome) in [
        (
            "every port of one host, answered",
            1,
            65_536,
            answered as fn(u32) -> Outcome,
        ),
        ("every port of one host, refused", 1, 65_536, refused),
        ("one port of 5,000 hosts", 5000, 1, mixed),
        ("58 ports of 1,100 hosts", 1100, 58, mixed),
        ("2,000 ports of 80 hosts", 80, 2000, mixed),
    ] {
        let (mut pod, mut serial, mut found) = (Pod::default(), 0, Vec::new());
        let mut shared = Shared::default();
        let (mut forgotten, mut probes) = (0, 0_u64);
        let all: Vec<u16> = (0..=u16::MAX).collect();
        for host in 0..hosts {
            let now = Time::from_nanoseconds(1_000_000 * u64::from(host));
            let sent = (0..ports).map(|n| contact(now, host, n as u16, SENT));
            let outcomes = (0..ports).map(|n| contact(now, host, n as u16, outcome(host + n)));
            let mut observation = Observation::empty(SUBJECT);
            observation.contacts = sent.chain(outcomes).collect();
            if host == 0 {
                observation.tcp_ports.clone_from(&all);
                observation.refused.clone_from(&all);
            }
            probes += u64::from(ports);
            forgotten += pod.observe(&observation, now, &mut serial, &mut shared, &mut found);
        }
        let bytes = pod.heap_bytes() + size_of::<Pod>();
        assert!(bytes <= Detectors::POD_BYTES, "{shape}: {bytes} bytes");
        assert!(
            bytes >= Detectors::POD_BYTES / 32,
            "{shape}: {bytes} bytes, the bound is no bound"
        );
        let lost = probes.saturating_sub(PROBES as u64);
        assert!(
            forgotten >= lost,
            "{shape}: {forgotten} of {lost} lost ones counted"
        );
    }
}

#[test]
fn no_deviation_makes_a_pod_remember_more_than_its_bound() {
    const BOUND: usize = 512 << 10;
    let (mut pod, mut serial, mut found) = (Pod::default(), 0, Vec::new());
    let techniques = Technique::ALL;
    for n in 0..4000_u32 {
        let now = Time::from_nanoseconds(10_000_000 * u64::from(n));
        let technique = techniques[n as usize % techniques.len()];
        let mut sent = contact(now, n % 16, 47, Outcome::Sent(technique));
        sent.pod = IpAddr::from(u128::from(n).to_be_bytes());
        sent.transport = Transport::Protocol;
        sent.spoofed = true;
        let mut observation = Observation::empty(SUBJECT);
        observation.contacts.push(sent);
        observation.initiated.fill(100);
        observation.counts.fill(100);
        observation.protocols.push(47);
        for volume in observation.sent.iter_mut().chain(&mut observation.received) {
            (volume.packets, volume.bytes) = (100, 100_000);
        }
        observation.samples.push(Sample {
            at: now,
            kind: SampleKind::FirstData,
            sent: true,
            pod: sent.pod,
            pod_port: n as u16,
            peer: sent.pod,
            port: 443,
            payload: b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n".to_vec(),
            payload_bytes: 30,
        });
        pod.observe(
            &observation,
            now,
            &mut serial,
            &mut Shared::default(),
            &mut found,
        );
    }
    let bytes = pod.odd_flags.heap_bytes()
        + pod.tiny_fragments.heap_bytes()
        + pod.spoofed_source.heap_bytes()
        + pod.icmp_tunnel.heap_bytes()
        + pod.unexpected_tunnel.heap_bytes()
        + pod.protocol_mismatch.heap_bytes();
    assert!(bytes <= BOUND, "{bytes} bytes");
    assert!(bytes >= BOUND / 4, "{bytes} bytes, the bound is no bound");
}

#[test]
fn what_is_too_old_for_every_window_is_forgotten() {
    let (mut pod, mut serial, mut found) = (Pod::default(), 0, Vec::new());
    let mut shared = Shared::default();
    let mut observation = Observation::empty(SUBJECT);
    observation.contacts = (0..9)
        .map(|port| contact(Time::default(), 1, port, Outcome::Sent(Technique::Connect)))
        .collect();
    for (second, remembered) in [(0, 1), (3600, 1), (3780, 0)] {
        let now = Time::from_nanoseconds(second * 1_000_000_000);
        pod.observe(&observation, now, &mut serial, &mut shared, &mut found);
        observation.contacts.clear();
        assert_eq!(
            pod.probes.destinations.iter().count(),
            remembered,
            "after {second} s"
        );
    }
}

#[test]
fn a_detector_in_shadow_says_so_and_one_that_is_off_says_nothing() {
    let mut observation = Observation::empty(SUBJECT);
    observation.contacts = (1..=10)
        .flat_map(|port| {
            let at = Time::from_nanoseconds(1);
            [Outcome::Sent(Technique::Syn), Outcome::Refused]
                .map(|outcome| contact(at, 1, port, outcome))
        })
        .collect();
    for (mode, expected) in [
        (Mode::On, vec![false, false]),
        (Mode::Shadow, vec![true, true]),
        (Mode::Off, vec![]),
    ] {
        let mut settings = Settings::default();
        *settings.mode("port_scan").unwrap() = mode;
        let mut detectors = Detectors::new(settings);
        let mut found = Vec::new();
        detectors.observe(&observation, Time::from_nanoseconds(2), &mut found);
        detectors.remove(SUBJECT, &mut found);
        let shadows: Vec<_> = found.iter().map(|anomaly| anomaly.shadow).collect();
        assert_eq!(shadows, expected, "{mode}");
    }
}

#[test]
fn every_default_is_within_its_range_and_every_detector_can_be_named() {
    for detector in DETECTORS {
        let mut settings = Settings::default();
        settings.mode(detector).unwrap();
        assert!(words(detector).is_some());
        for limit in Settings::limits(detector).unwrap() {
            settings.set(detector, limit.key, limit.default).unwrap();
        }
        assert_eq!(settings, Settings::default());
    }
    let said = Settings::limits("scan").unwrap_err().to_string();
    assert!(said.starts_with("there is no such detector; there are port_scan, "));
    assert_eq!(words("scan"), None);
}

#[test]
fn settings_are_those_of_the_subject_and_can_change() {
    let mut detectors = Detectors::new(Settings::default());
    let off = Arc::new(Settings::off());
    let scan = |subject| {
        let mut observation = Observation::empty(subject);
        observation.contacts = (1..=10)
            .flat_map(|port| {
                [Outcome::Sent(Technique::Connect), Outcome::Refused]
                    .map(|outcome| contact(Time::default(), 1, port, outcome))
            })
            .collect();
        observation
    };
    let other = Subject {
        epoch: 2,
        ..SUBJECT
    };
    let mut found = Vec::new();
    detectors.set(other, &off, &mut found);
    for subject in [SUBJECT, other] {
        detectors.observe(&scan(subject), Time::default(), &mut found);
    }
    let opened: Vec<_> = found.iter().map(|it| (it.id.subject, it.state)).collect();
    assert_eq!(opened, [(SUBJECT, State::Opened)]);
    detectors.set(SUBJECT, &off, &mut found);
    assert_eq!(found.pop().map(|it| it.state), Some(State::Closed));
    found.clear();
    detectors.set(other, &Arc::new(Settings::default()), &mut found);
    detectors.observe(&scan(other), Time::from_nanoseconds(1), &mut found);
    assert_eq!(found.len(), 1, "what was seen while it was off counts");
}

/// A message that asks for a name, or denies it, as the datapath shows it.
fn message(at: Time, name: &str, rtype: u8, sent: bool) -> Sample {
    let mut payload = vec![0, 1, if sent { 1 } else { 0x81 }, if sent { 0 } else { 3 }];
    payload.extend([0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        payload.push(label.len() as u8);
        payload.extend(label.as_bytes());
    }
    payload.extend([0, 0, rtype, 0, 1]);
    Sample {
        at,
        kind: SampleKind::Dns,
        sent,
        pod: IpAddr::from([10, 0, 0, 1]),
        pod_port: 40_000,
        peer: IpAddr::from([10, 0, 0, 2]),
        port: 53,
        payload_bytes: payload.len() as u32,
        payload,
    }
}

#[test]
fn no_names_make_a_pod_remember_more_than_its_bound() {
    let data = |n: u32| format!("{:0>60}", format!("a1b2c3d4e5f6{n}"));
    let (mut pod, mut serial, mut found) = (Pod::default(), 0, Vec::new());
    let (mut forgotten, mut shared) = (0, Shared::default());
    for n in 0..10_000_u32 {
        let now = Time::from_nanoseconds(5_000_000 * u64::from(n));
        let mut observation = Observation::empty(SUBJECT);
        let mut show = |name: &str, rtype, sent| {
            observation.samples.push(message(now, name, rtype, sent));
        };
        let group = n / 256 % 20;
        for sent in [true, false] {
            show(&format!("{n}.com"), 1, sent);
            show(&format!("s{n}.{:a<60}.svc.cluster.local", "n"), 1, sent);
            show(&format!("w{n}.w{group}.com"), 1, sent);
        }
        for rtype in [1, 10, 16] {
            show(
                &format!("{}.{}.t{group}.com", data(n), data(n)),
                rtype,
                true,
            );
        }
        show(&format!("*.{}.svc.cluster.local", data(n)), 1, true);
        show(&format!("{}.{group}.0.10.in-addr.arpa", n % 256), 12, true);
        show(&format!("unanswered{n}.w{group}.com"), 1, true);
        show(&format!("zone{n}.{}.com", data(n)), 252, true);
        show("more", 1, true);
        if let Some(sample) = observation.samples.last_mut() {
            sample.payload = vec![0xff; 192];
        }
        forgotten += pod.observe(&observation, now, &mut serial, &mut shared, &mut found);
    }
    let bytes = pod.heap_bytes() + size_of::<Pod>();
    // Probes take what is left.
    assert!(bytes <= Detectors::POD_BYTES / 6, "{bytes} bytes");
    assert!(
        bytes >= Detectors::POD_BYTES / 16,
        "{bytes} bytes, the bound is no bound"
    );
    assert!(forgotten > 20_000, "only {forgotten} counted");
    let opened = found.iter().filter(|it| it.state == State::Opened);
    let opened: BTreeSet<_> = opened.map(|it| it.detector).collect();
    let expected = [
        "dga",
        "dns_enumeration",
        "dns_tunnel",
        "malformed_dns",
        "zone_transfer",
    ];
    assert_eq!(Vec::from_iter(opened), expected);
}

/// What is found when the pod tries these, and all refuse.
fn refusals(detectors: &mut Detectors, tried: &[(u32, u16)]) -> BTreeSet<&'static str> {
    let now = Time::from_nanoseconds(1_000_000_000);
    let mut observation = Observation::empty(SUBJECT);
    for &(host, port) in tried {
        for outcome in [Outcome::Sent(Technique::Syn), Outcome::Refused] {
            observation.contacts.push(contact(now, host, port, outcome));
        }
    }
    let mut found = Vec::new();
    detectors.observe(&observation, now, &mut found);
    found.iter().map(|anomaly| anomaly.detector).collect()
}

#[test]
fn services_that_are_down_are_no_scan_but_many_ports_of_one_are() {
    let declared = |tried: &[(u32, u16)]| -> Declared {
        let services = tried.iter().map(|&(host, port)| {
            let declared = contact(Time::default(), host, port, Outcome::Answered);
            (declared.peer, Transport::Tcp, port)
        });
        services.collect()
    };
    let hosts: Vec<_> = (0..40).map(|host| (host, 8080)).collect();
    let ports: Vec<_> = (0..40).map(|port| (1, 8000 + port)).collect();
    let nobody = |_: &mut Detectors, _| {};
    let declares: [fn(&mut Detectors, Declared); 3] =
        [nobody, Detectors::declare, Detectors::declare_by_pods];
    for (tried, declares, expected) in [
        (&hosts, declares[0], Some("ip_sweep")),
        (&hosts, declares[1], None),
        (&hosts, declares[2], None),
        (&ports, declares[0], Some("port_scan")),
        (&ports, declares[1], Some("port_scan")),
    ] {
        let mut detectors = Detectors::new(Settings::default());
        declares(&mut detectors, declared(tried));
        let found = refusals(&mut detectors, tried);
        let found: Vec<_> = found.into_iter().collect();
        assert_eq!(found, Vec::from_iter(expected), "{tried:?}");
    }
}
