//! Patterns over time: regular calls, and peers that are new.

use std::{net::IpAddr, time::Duration};

use detect::{
    Anomaly, Contact, Detectors, Mode, Observation, Outcome, Settings, State, Subject, Technique,
    Time, Transport,
};

const DAY_S: u64 = 24 * 60 * 60;

fn at(second: u64) -> Time {
    Time::from_nanoseconds(second * 1_000_000_000)
}

/// So many seconds after the origin a pod calls a host.
type Call = (u64, u32, u8);

/// What is found in calls of pods, by interface index.
fn find(settings: Settings, workload: Option<&str>, calls: &[Call]) -> Vec<Anomaly> {
    let mut detectors = Detectors::new(settings);
    let mut found = Vec::new();
    for &(second, ifindex, host) in calls {
        let subject = Subject { ifindex, epoch: 1 };
        if let Some(workload) = workload {
            detectors.name(subject, workload);
        }
        let mut observation = Observation::empty(subject);
        observation.contacts.push(Contact {
            at: at(second),
            pod: IpAddr::from([10, 0, 0, 1]),
            peer: IpAddr::from([192, 0, 2, host]),
            transport: Transport::Tcp,
            port: 443,
            outcome: Outcome::Sent(Technique::Connect),
            spoofed: false,
            contained: false,
        });
        detectors.observe(&observation, at(second), &mut found);
    }
    found
}

fn only(detector: &str) -> Settings {
    let mut settings = Settings::off();
    if let Ok(mode) = settings.mode(detector) {
        *mode = Mode::On;
    }
    settings
}

#[test]
fn both_are_in_shadow_by_default() {
    let settings = Settings::default();
    assert_eq!(settings.beacon.mode, Mode::Shadow);
    assert_eq!(settings.new_peer.mode, Mode::Shadow);
}

/// Calls at an interval, each late by what the jitter says.
fn calls(count: u64, interval_s: u64, jitter: impl Fn(u64) -> u64) -> Vec<Call> {
    (0..count)
        .map(|n| (1000 + n * interval_s + jitter(n), 1, 9))
        .collect()
}

#[test]
fn regular_calls_are_a_beacon_and_irregular_ones_are_not() {
    let none = |_| 0;
    let scrambled = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    for (shape, calls, expected) in [
        ("every 5 minutes", calls(12, 300, none), true),
        ("one fewer", calls(11, 300, none), false),
        ("too often to be told from use", calls(40, 170, none), false),
        ("the shortest interval", calls(12, 180, none), true),
        (
            "late by up to 10 %",
            calls(12, 300, |n| scrambled(n) % 30),
            true,
        ),
        (
            "late by up to 300 %",
            calls(32, 300, |n| scrambled(n) % 900),
            false,
        ),
        (
            "in use: a second call 20 s after each",
            calls(40, 300, |n| n % 2 * 20)
                .iter()
                .flat_map(|&(at, ifindex, host)| [(at, ifindex, host), (at + 20, ifindex, host)])
                .collect(),
            false,
        ),
    ] {
        let found = find(only("beacon"), None, &calls);
        assert_eq!(!found.is_empty(), expected, "{shape}");
        if let Some(opened) = found.first() {
            assert_eq!((opened.detector, opened.state), ("beacon", State::Opened));
            assert_eq!(opened.targets[0].sample_ports, [443], "{shape}");
            assert!(opened.samples[0].starts_with("port 443 every "), "{shape}");
        }
    }
}

#[test]
fn a_call_that_is_missing_does_not_hide_a_beacon() {
    let mut calls = calls(14, 300, |_| 0);
    calls.remove(6);
    assert!(!find(only("beacon"), None, &calls).is_empty());
}

#[test]
fn the_thresholds_of_a_beacon_are_those_that_are_set() {
    let mut settings = only("beacon");
    settings.beacon.thresholds.calls = 5;
    settings.beacon.thresholds.interval = Duration::from_secs(600);
    assert_eq!(find(settings.clone(), None, &calls(5, 300, |_| 0)), []);
    assert_eq!(find(settings.clone(), None, &calls(4, 600, |_| 0)), []);
    assert_eq!(find(settings, None, &calls(5, 600, |_| 0)).len(), 1);
}

#[test]
fn a_peer_is_new_after_a_week_and_to_all_replicas() {
    let week = 7 * DAY_S;
    for (shape, workload, calls, expected) in [
        (
            "within the week",
            None,
            vec![(0, 1, 1), (week - 1, 1, 2)],
            0,
        ),
        ("after it", None, vec![(0, 1, 1), (week, 1, 2)], 1),
        ("known", None, vec![(0, 1, 1), (week, 1, 1)], 0),
        (
            "known to a replica",
            Some("shop/web"),
            vec![(0, 1, 1), (5, 2, 2), (week, 1, 2)],
            0,
        ),
        (
            "known to another workload",
            None,
            vec![(0, 1, 1), (5, 2, 2), (week, 1, 2)],
            1,
        ),
        (
            "a second one is in the same anomaly",
            None,
            vec![(0, 1, 1), (week, 1, 2), (week + 60, 1, 3)],
            1,
        ),
    ] {
        let found = find(only("new_peer"), workload, &calls);
        assert_eq!(found.len(), expected, "{shape}: {found:?}");
        if let Some(opened) = found.first() {
            assert_eq!(opened.targets[0].address, IpAddr::from([192, 0, 2, 2]));
            assert_eq!(opened.crossed.counted, 1);
        }
    }
}
