//! The life of an anomaly of volume.

use std::{net::IpAddr, time::Duration};

use detect::{
    Class, Contact, Count, Outcome, Role, Settings, Severity, State, Technique, Transport,
};

use crate::replay::{
    DAY, SUBJECT, at, counts, default, ids, initiates, ms, observation, play, sends_bytes, teach,
    upload,
};

const POD: [u8; 4] = [10, 0, 0, 1];

fn contact(at_ms: u64, peer: [u8; 4], port: u16, outcome: Outcome) -> Contact {
    Contact {
        at: ms(at_ms),
        pod: POD.into(),
        peer: peer.into(),
        port,
        transport: Transport::Tcp,
        outcome,
        spoofed: false,
        contained: false,
    }
}

#[test]
fn a_flood_opens_grows_by_decades_and_closes_a_minute_after_it_ends() {
    let flood = std::iter::repeat_n(observation(|it| initiates(it, Class::Echo, 500)), 50);
    let silence = std::iter::repeat_n(observation(|_| {}), 700);
    let found = play(&mut default(), ms(0), flood.chain(silence));
    let states: Vec<_> = found.iter().map(|it| (it.state, it.counted)).collect();
    assert_eq!(
        states,
        [
            (State::Opened, 1000),
            (State::Updated, 10_000),
            (State::Closed, 25_000)
        ]
    );
    assert_eq!(found[2].last_seen, ms(5000));
    let until = |ticks| {
        let flood = std::iter::repeat_n(observation(|it| initiates(it, Class::Echo, 500)), 50);
        let silence = std::iter::repeat_n(observation(|_| {}), ticks);
        play(&mut default(), ms(0), flood.chain(silence)).len()
    };
    assert_eq!((until(599), until(600)), (2, 3), "a minute, to the tick");
    assert!(found.iter().all(|it| it.id == found[0].id));
}

#[test]
fn traffic_below_the_ceiling_does_not_keep_a_flood_open() {
    let flood = std::iter::repeat_n(observation(|it| initiates(it, Class::Echo, 500)), 5);
    let trickle = std::iter::repeat_n(observation(|it| initiates(it, Class::Echo, 5)), 700);
    let found = play(&mut default(), ms(0), flood.chain(trickle));
    let closed = found.last().unwrap();
    assert_eq!(closed.state, State::Closed);
    assert!(closed.counted < 3000, "{}", closed.counted);
}

#[test]
fn each_side_has_an_anomaly_of_its_own() {
    let both = observation(|it| {
        initiates(it, Class::Echo, 1000);
        counts(it, Count::EchoesReceived, 1000);
    });
    let mut detectors = default();
    let mut found = play(&mut detectors, ms(0), [both]);
    assert_eq!(ids(&found), ["icmp_flood", "icmp_flood"]);
    assert_ne!(found[0].id, found[1].id);
    assert_eq!(found[0].role, Role::Source);
    assert_eq!(found[1].role, Role::Target);
    found.clear();
    detectors.remove(SUBJECT, &mut found);
    assert!(found.iter().all(|it| it.state == State::Closed));
    assert_eq!(found.len(), 2);
}

#[test]
fn the_targets_are_whom_the_pod_began_to_talk_to_of_late() {
    const SENT: Outcome = Outcome::Sent(Technique::Syn);
    let long_ago = observation(|it| it.contacts = vec![contact(50, [10, 0, 0, 9], 443, SENT)]);
    let pause = std::iter::repeat_n(observation(|_| {}), 200);
    let flood = observation(|it| {
        initiates(it, Class::Syn, 2000);
        it.contacts = vec![contact(20_150, [10, 0, 0, 2], 80, SENT)];
    });
    let observations = std::iter::once(long_ago.clone()).chain(pause.clone());
    let found = play(&mut default(), ms(0), observations.chain([flood]));
    let targets: Vec<_> = found[0].targets.iter().map(|it| it.address).collect();
    assert_eq!(targets, [IpAddr::from([10, 0, 0, 2])]);
    assert_eq!(found[0].first_seen, ms(20_150));
    assert_eq!(found[0].technique, Some(Technique::Syn));

    // A flow that is told already is not told again: then the latest contact is the best guess.
    let flood = observation(|it| initiates(it, Class::Syn, 2000));
    let observations = std::iter::once(long_ago).chain(pause);
    let found = play(&mut default(), ms(0), observations.chain([flood]));
    assert_eq!(found[0].targets[0].address, IpAddr::from([10, 0, 0, 9]));
}

#[test]
fn the_target_of_a_received_flood_is_the_pod() {
    let known = observation(|it| {
        it.contacts = vec![
            contact(50, [10, 0, 0, 9], 443, Outcome::Sent(Technique::Connect)),
            contact(51, [10, 0, 0, 9], 443, Outcome::Answered),
        ];
    });
    let flood = observation(|it| counts(it, Count::EchoesReceived, 1000));
    let found = play(&mut default(), ms(0), [known, flood]);
    assert_eq!(
        (found[0].role, found[0].pod),
        (Role::Target, Some(IpAddr::from(POD)))
    );
    assert_eq!(found[0].targets, []);
}

#[test]
fn what_is_unusual_becomes_worse_when_it_crosses_the_ceiling() {
    let mut settings = Settings::default();
    settings.icmp_flood.thresholds.learning = DAY;
    let mut detectors = detect::Detectors::new(settings);
    teach(&mut detectors, SUBJECT, 0..26, |_| 0);
    let rising = [300, 0, 0, 900].map(|n| observation(|it| initiates(it, Class::Echo, n)));
    let found = play(&mut detectors, at(26 * Duration::from_secs(3600)), rising);
    let told: Vec<_> = found.iter().map(|it| (it.state, it.severity)).collect();
    assert_eq!(
        told,
        [
            (State::Opened, Severity::Medium),
            (State::Updated, Severity::High)
        ]
    );
}

#[test]
fn bytes_are_never_more_than_medium() {
    let mut settings = Settings::default();
    settings.bytes_out.thresholds.ceiling_in_10s = 2_500_000;
    settings.bytes_in.thresholds.ceiling_in_10s = 4_000_000;
    let mut detectors = detect::Detectors::new(settings);
    let found = play(&mut detectors, ms(0), upload(20));
    assert_eq!(ids(&found)[0], "bytes_out");
    assert_eq!(found[0].severity, Severity::Medium);
    assert_eq!(found[0].crossed.window, Duration::from_secs(10));
    let lot = observation(|it| {
        it.received[0].bytes = 4_000_000;
        sends_bytes(it, 1);
    });
    let found = play(&mut detectors, ms(30_000), [lot]);
    assert_eq!(ids(&found), ["bytes_in"]);
    assert_eq!(found[0].severity, Severity::Low);
}
