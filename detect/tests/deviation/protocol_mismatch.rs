//! Connections that speak another protocol than their port is for.

use detect::{
    Measure, Observation, Sample, SampleKind,
    Severity::{Info, Low, Medium},
    State,
};

use crate::replay::{POD, SUBJECT, find, life, ms, nothing, peer};
use State::{Closed, Opened, Updated};

const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n";
const GET: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
const HELLO: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03................";
const NOISE: &[u8] = b"8\xb4\xe6R\xe4M\xa7\xf27\r\x9e&\x0e'\x13eP\xa4\xa3";

/// What the pod says first from one of its ports to a service.
fn says(at: u64, pod_port: u16, n: u32, port: u16, payload: &[u8]) -> (u64, Observation) {
    let mut observation = Observation::empty(SUBJECT);
    observation.samples = vec![Sample {
        at: ms(at),
        kind: SampleKind::FirstData,
        sent: true,
        pod: POD,
        pod_port,
        peer: peer(n),
        port,
        payload: payload.to_vec(),
        payload_bytes: payload.len() as u32,
    }];
    (at, observation)
}

/// The same of so many connections, one a second.
fn repeat(count: u16, port: u16, payload: &[u8]) -> Vec<(u64, Observation)> {
    let one = |n: u16| says(u64::from(n) * 1000, 40_000 + n, 1, port, payload);
    (0..count).map(one).collect()
}

fn heard((at, mut observation): (u64, Observation)) -> (u64, Observation) {
    observation.samples[0].sent = false;
    (at, observation)
}

fn lives(observations: Vec<(u64, Observation)>) -> Vec<(State, detect::Severity)> {
    life(&find("protocol_mismatch", observations))
}

#[test]
fn one_connection_is_a_curiosity_and_five_are_not() {
    let found = find("protocol_mismatch", repeat(4, 443, SSH));
    assert_eq!(life(&found), [(Opened, Info)]);
    assert_eq!(found[0].samples, ["SSH on port 443 of 10.244.0.1"]);
    assert_eq!(found[0].targets[0].sample_ports, [443]);
    assert_eq!(found[0].crossed.measure, Measure::OtherProtocols);
    assert_eq!(
        lives(repeat(5, 443, SSH)),
        [(Opened, Info), (Updated, Medium)]
    );
    assert_eq!(
        lives(repeat(5, 22, GET)),
        [(Opened, Info), (Updated, Medium)]
    );
}

#[test]
fn unknown_bytes_take_eight_connections() {
    for port in [443, 6379, 53] {
        assert_eq!(lives(repeat(7, port, NOISE)), [], "{port}");
        assert_eq!(lives(repeat(8, port, NOISE)), [(Opened, Low)], "{port}");
    }
}

#[test]
fn tls_where_it_is_not_customary_takes_eight_connections_too() {
    for port in [80, 22, 445] {
        assert_eq!(lives(repeat(7, port, HELLO)), [(Opened, Info)], "{port}");
        let life = lives(repeat(8, port, HELLO));
        assert_eq!(life, [(Opened, Info), (Updated, Low)], "{port}");
    }
    let mesh = [
        HELLO,
        b"\0\x15outbound_.80_._.web.default.svc.cluster.local",
    ]
    .concat();
    assert_eq!(lives(repeat(100, 80, &mesh)), [], "of a mesh");
}

#[test]
fn each_connection_counts_once() {
    let both = |n: u64| {
        let pod_port = 40_000 + n as u16 % 4;
        let said = says(n * 1000, pod_port, 1, 443, SSH);
        [said.clone(), heard(said)]
    };
    assert_eq!(lives((0..100).flat_map(both).collect()), [(Opened, Info)]);
}

#[test]
fn what_servers_say_counts() {
    let banner = |n: u16| heard(says(u64::from(n) * 1000, 40_000 + n, 1, 443, SSH));
    let life = lives((0..5).map(banner).collect());
    assert_eq!(life, [(Opened, Info), (Updated, Medium)]);
    let noise = |n: u16| heard(says(u64::from(n) * 1000, 40_000 + n, 1, 443, NOISE));
    assert_eq!(lives((0..100).map(noise).collect()), []);
}

#[test]
fn unknown_bytes_to_a_service_that_is_used_properly_do_not_count() {
    let mut samples = vec![says(0, 39_999, 1, 443, HELLO)];
    samples.extend(repeat(100, 443, NOISE));
    assert_eq!(lives(samples.clone()), []);
    samples.extend(repeat(5, 443, SSH));
    let after = (0..5).map(|n| says(200_000, 50_000 + n, 1, 443, SSH));
    samples.truncate(101);
    samples.extend(after);
    assert_eq!(
        lives(samples),
        [(Opened, Info), (Updated, Medium)],
        "what is clear does"
    );
}

#[test]
fn bytes_that_tell_nothing_excuse_nothing() {
    let mut samples = vec![says(0, 39_999, 1, 443, b"short")];
    samples.extend(repeat(8, 443, NOISE));
    assert_eq!(lives(samples), [(Opened, Low)]);
}

#[test]
fn who_speaks_http_to_every_port_tries_what_they_are() {
    let ports = [21, 22, 25, 53, 110, 143, 445, 993, 3306, 5432];
    let mut samples = Vec::new();
    for round in 0..40_u16 {
        for (n, port) in (0..).zip(ports) {
            let at = u64::from(round) * 15_000 + u64::from(n) * 100;
            samples.push(says(
                at,
                1000 * (n + 1) + round,
                1 + u32::from(n % 3),
                port,
                GET,
            ));
        }
    }
    let life = lives(samples);
    assert!(
        life.iter().all(|&(_, severity)| severity == Info),
        "{life:?}"
    );
    assert_eq!(life[0].0, Opened);
}

#[test]
fn mistakes_stay_curiosities_and_custom_is_none() {
    for (port, payload) in [(443, GET), (6443, GET)] {
        let life = lives(repeat(100, port, payload));
        assert!(
            life.iter().all(|&(_, severity)| severity == Info),
            "{port}: {life:?}"
        );
        assert_eq!(life[0].0, Opened);
    }
    for (port, payload) in [
        (443, HELLO),
        (80, GET),
        (22, SSH),
        (5432, HELLO),
        (8080, SSH),
    ] {
        assert_eq!(lives(repeat(100, port, payload)), [], "{port}");
    }
}

#[test]
fn connections_to_many_hosts_or_over_many_hours_do_not_add_up() {
    let hosts = |n: u16| says(u64::from(n) * 1000, 40_000 + n, u32::from(n), 443, NOISE);
    assert_eq!(lives((0..200).map(hosts).collect()), []);
    let slow = |n: u16| says(u64::from(n) * 930_000, 40_000 + n, 1, 443, SSH);
    assert_eq!(lives((0..4).map(slow).collect()), [(Opened, Info)]);
    let rare = |n: u16| says(u64::from(n) * 530_000, 40_000 + n, 1, 443, NOISE);
    assert_eq!(lives((0..50).map(rare).collect()), [], "seven an hour");
}

#[test]
fn it_closes_after_an_hour_and_opens_anew() {
    let mut samples = repeat(5, 443, SSH);
    samples.push(nothing(3_603_999));
    samples.push(nothing(3_604_000));
    samples.push(says(3_700_000, 50_000, 1, 443, SSH));
    let expected = [
        (Opened, Info),
        (Updated, Medium),
        (Closed, Medium),
        (Opened, Info),
    ];
    assert_eq!(lives(samples), expected);
}

#[test]
fn what_it_remembers_is_bounded_and_what_found_no_room_is_told() {
    let mut found = Vec::new();
    let mut detectors = crate::replay::only("protocol_mismatch");
    for n in 0..20_000_u32 {
        let (at, mut observation) = says(u64::from(n), n as u16, n, 443, SSH);
        let (_, proper) = says(u64::from(n), n as u16, 100_000 + n, 443, HELLO);
        observation.samples.extend(proper.samples);
        detectors.observe(&observation, ms(at), &mut found);
    }
    assert_eq!(detectors.forgotten(), 2 * (20_000 - 512));
    assert!(found.iter().all(|it| it.severity == Info));
}
