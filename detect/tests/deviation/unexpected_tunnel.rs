//! Packets within packets.

use detect::{
    Class, Contact, Measure, Observation, Outcome, Severity::Info, State, Technique, Transport,
    VolumeClass,
};

use crate::replay::{find, life, nothing, packets, peer, sent};
use State::{Closed, Opened};

const GRE: u16 = 47;

fn one_way(number: u8, count: u64) -> Observation {
    let mut observation = packets(Class::Protocol, count);
    observation.protocols = vec![number];
    let transport = Transport::Protocol;
    observation.contacts = vec![sent(
        90,
        peer(1),
        transport,
        number.into(),
        Technique::Protocol,
    )];
    observation
}

fn answered(transport: Transport, port: u16, technique: Technique) -> Observation {
    let request = sent(90, peer(1), transport, port, technique);
    let answer = Contact {
        outcome: Outcome::Answered,
        ..request
    };
    let mut observation = Observation::empty(crate::replay::SUBJECT);
    observation.contacts = vec![request, answer];
    observation
}

#[test]
fn twenty_that_nobody_answers_are_a_tunnel() {
    for number in [4, 41, 47, 50, 51, 94, 97, 115, 137] {
        for (count, expected) in [(19, vec![]), (20, vec![(Opened, Info)])] {
            let found = find("unexpected_tunnel", [(100, one_way(number, count))]);
            assert_eq!(life(&found), expected, "{count} of {number}");
        }
    }
    assert_eq!(
        find("unexpected_tunnel", [(100, one_way(2, 1000))]),
        [],
        "IGMP"
    );
}

#[test]
fn packets_of_other_protocols_beside_it_do_not_count() {
    let mut mixed = one_way(47, 1000);
    mixed.protocols.insert(0, 2);
    assert_eq!(find("unexpected_tunnel", [(100, mixed)]), []);
}

#[test]
fn an_answer_of_the_same_protocol_is_one() {
    let gre = answered(Transport::Protocol, GRE, Technique::Protocol);
    let found = find("unexpected_tunnel", [(100, gre)]);
    assert_eq!(life(&found), [(Opened, Info)]);
    assert_eq!(found[0].samples, ["GRE"]);
    assert_eq!(found[0].crossed.measure, Measure::TunnelPackets);
    assert_eq!(found[0].targets[0].address, peer(1));
    for (port, expected) in [(51_820, 1), (4789, 1), (53, 0), (443, 0)] {
        let udp = answered(Transport::Udp, port, Technique::Udp);
        assert_eq!(
            find("unexpected_tunnel", [(100, udp)]).len(),
            expected,
            "UDP port {port}"
        );
    }
    let tcp = answered(Transport::Tcp, GRE, Technique::Connect);
    assert_eq!(find("unexpected_tunnel", [(100, tcp)]), [], "TCP port 47");
}

#[test]
fn scans_are_none() {
    let mut scan = packets(Class::Protocol, 512);
    scan.protocols = (0..=255)
        .filter(|it| ![1, 6, 17, 58, 132].contains(it))
        .collect();
    let technique = Technique::Protocol;
    let one = |&number: &u8| sent(90, peer(1), Transport::Protocol, number.into(), technique);
    scan.contacts = scan.protocols.iter().map(one).collect();
    assert_eq!(
        find("unexpected_tunnel", [(100, scan)]),
        [],
        "of IP protocols"
    );
    let mut scan = packets(Class::Udp, 1000);
    let one = |n| sent(90, peer(n), Transport::Udp, 4789, Technique::Udp);
    scan.contacts = (0..1000).map(one).collect();
    assert_eq!(
        find("unexpected_tunnel", [(100, scan)]),
        [],
        "of the port of VXLAN"
    );
}

#[test]
fn it_lasts_as_long_as_there_is_traffic() {
    let gre = answered(Transport::Protocol, GRE, Technique::Protocol);
    let (_, mut busy) = nothing(0);
    busy.sent[VolumeClass::Other as usize].packets = 16;
    let found = find(
        "unexpected_tunnel",
        [
            (100, gre),
            (500_000, busy),
            nothing(1_000_000),
            nothing(1_099_999),
            nothing(1_100_000),
        ],
    );
    assert_eq!(life(&found), [(Opened, Info), (Closed, Info)]);
}
