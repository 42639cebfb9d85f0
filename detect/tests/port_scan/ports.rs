//! Which ports count, over which transports.

use detect::{
    Anomaly, Contact, Measure, Observation, Outcome, PortScanThresholds, Severity, Technique,
    Transport,
};

use crate::{
    evidence::{failures_only, observe_with},
    replay::{SENT, SUBJECT, contact, ms, peer, play, port_scan, refused},
};

fn observe(contacts: Vec<Contact>) -> Vec<Anomaly> {
    observe_with(failures_only(), contacts, 0)
}

/// Ports are ports over every transport that has them; what has none is no evidence.
#[test]
fn ports_fail_over_every_transport_that_has_them() {
    for transport in Transport::ALL {
        let mut observation = Observation::empty(SUBJECT);
        observation.contacts = (1..=20)
            .flat_map(|port| refused(1000, peer(1), port))
            .map(|contact| Contact {
                transport,
                ..contact
            })
            .collect();
        let mut detector = port_scan(PortScanThresholds::default());
        let found = play(&mut detector, &[(ms(1001), observation)]);
        let expected = matches!(transport, Transport::Tcp | Transport::Udp | Transport::Sctp);
        assert_eq!(!found.is_empty(), expected, "{transport:?}");
    }
}

/// The same port over two transports is two that can fail.
#[test]
fn transports_are_told_apart() {
    let over = |transport| {
        let refused = (1..=5).flat_map(|port| refused(1000, peer(1), port));
        refused.map(move |contact| Contact {
            transport,
            ..contact
        })
    };
    for (transport, expected) in [(Transport::Tcp, false), (Transport::Udp, true)] {
        let contacts = over(Transport::Tcp).chain(over(transport));
        assert_eq!(!observe(contacts.collect()).is_empty(), expected);
    }
}

/// Refusals are told for all transports together: only a port that was tried can have been refused.
#[test]
fn ports_refused_that_were_not_tried_are_not_counted() {
    let mut observation = Observation::empty(SUBJECT);
    observation.contacts = (1..=20)
        .flat_map(|port| refused(1000, peer(1), port))
        .collect();
    observation.tcp_ports = (1..=20).collect();
    observation.udp_ports = (15..=40).collect();
    observation.refused = (1..=60).collect();
    let mut detector = port_scan(PortScanThresholds::default());
    let found = play(&mut detector, &[(ms(1001), observation)]);
    assert_eq!((found[0].ports.refused, found[0].ports.distinct), (40, 40));
}

#[test]
fn low_ports_of_one_destination_count_once_and_for_a_minute() {
    let answered = |at_ms, host, port| {
        [
            contact(at_ms, peer(host), port, SENT),
            contact(at_ms, peer(host), port, Outcome::Answered),
        ]
    };
    let shapes: [(&str, Vec<Contact>, bool); 5] = [
        (
            "16 ports of one host",
            (1..=16).flat_map(|port| answered(900, 1, port)).collect(),
            true,
        ),
        (
            "15 ports of one host",
            (1..=15).flat_map(|port| answered(900, 1, port)).collect(),
            false,
        ),
        (
            "8 ports of each of two hosts",
            (1..=16)
                .flat_map(|port| answered(900, u32::from(port % 2), port))
                .collect(),
            false,
        ),
        (
            "16 high ports of one host",
            (10_240..10_256)
                .flat_map(|port| answered(900, 1, port))
                .collect(),
            false,
        ),
        (
            "8 ports of one host three times",
            (0..24).flat_map(|n| answered(900, 1, 1 + n % 8)).collect(),
            false,
        ),
    ];
    for (shape, contacts, expected) in shapes {
        let found = observe_with(PortScanThresholds::default(), contacts, 0);
        assert_eq!(!found.is_empty(), expected, "{shape}");
        if let Some(opened) = found.first() {
            assert_eq!(opened.crossed.measure, Measure::LowPortsPerDestination);
            assert_eq!((opened.crossed.counted, opened.crossed_at), (16, ms(900)));
            assert_eq!(opened.severity, Severity::Medium);
        }
    }
}

#[test]
fn crafted_packets_count_by_destination_whatever_comes_of_them() {
    let answered = |technique, host, port| {
        [
            contact(900, peer(host), port, Outcome::Sent(technique)),
            contact(900, peer(host), port, Outcome::Answered),
        ]
    };
    let of_one = |technique, count: u16| {
        let contacts = (1..=count).flat_map(|n| answered(technique, 1, 20_000 + n));
        observe_with(PortScanThresholds::default(), contacts.collect(), 0)
    };
    for technique in Technique::ALL {
        let found = of_one(technique, 8);
        assert_eq!(!found.is_empty(), technique.is_crafted(), "{technique:?}");
        if let Some(opened) = found.first() {
            let measure = Measure::CraftedPortsPerDestination;
            assert_eq!(opened.crossed.measure, measure);
            assert_eq!(
                (opened.crossed.counted, opened.severity),
                (8, Severity::High)
            );
        }
    }
    assert_eq!(of_one(Technique::Syn, 7), []);
    let two = (1..=8).flat_map(|n| answered(Technique::Syn, u32::from(n % 2), 20_000 + n));
    let found = observe_with(PortScanThresholds::default(), two.collect(), 0);
    assert_eq!(found, [], "four ports of each of two hosts");
}
