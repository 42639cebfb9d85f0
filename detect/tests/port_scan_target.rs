//! What a pod sees of the scans that others do to it.

use std::collections::BTreeSet;

use detect::{
    Anomaly, Detectors, Measure, Mode, Observation, Role, Settings, Severity, Sketch, State,
    Subject, Time,
};

const SUBJECT: Subject = Subject {
    ifindex: 7,
    epoch: 1,
};

fn seconds(at: u64) -> Time {
    Time::from_nanoseconds(at * 1_000_000_000)
}

/// An observation in which others try some ports, and some refuse.
fn observation(tried: &[u16], refusing: &[u16], hosts: u64) -> Observation {
    let sorted = |ports: &[u16]| {
        BTreeSet::from_iter(ports.iter().copied())
            .into_iter()
            .collect()
    };
    let mut observation = Observation::empty(SUBJECT);
    observation.probed = sorted(tried);
    observation.refusing = sorted(refusing);
    let mut probing = Sketch::default();
    (0..hosts).for_each(|host| probing.insert(host * 17));
    observation.hosts.probing = probing;
    observation
}

fn find(observations: &[(u64, Observation)]) -> Vec<Anomaly> {
    let mut settings = Settings::off();
    settings.port_scan_target.mode = Mode::On;
    let mut detectors = Detectors::new(settings);
    let mut found = Vec::new();
    for (at, observation) in observations {
        detectors.observe(observation, seconds(*at), &mut found);
    }
    found
}

#[test]
fn each_threshold_opens_at_its_count_and_not_one_below() {
    for (count, every_s, window_s) in [(40_u16, 1, 60), (40, 0, 60), (80, 44, 3600)] {
        let scan = |count: u16| {
            let scan = (1..=count).map(|port| {
                let at = 10 + u64::from(port) * every_s;
                (at, observation(&[port], &[port], 1))
            });
            find(&scan.collect::<Vec<_>>())
        };
        let case = format!("{count} ports, one each {every_s} s");
        assert_eq!(scan(count - 1), [], "one below {case}");
        let found = scan(count);
        let opened = &found[0];
        assert_eq!(opened.state, State::Opened, "{case}");
        assert_eq!(opened.crossed.measure, Measure::RefusingPorts, "{case}");
        assert_eq!(opened.crossed.counted, u64::from(count), "{case}");
        assert_eq!(opened.crossed.window.as_secs(), window_s, "{case}");
        assert_eq!(opened.severity, Severity::Medium, "{case}");
        assert_eq!((opened.role, opened.pod), (Role::Target, None), "{case}");
        assert_eq!(opened.targets, [], "{case}");
    }
}

#[test]
fn it_says_about_how_many_hosts_try() {
    let ports: Vec<u16> = (1000..1600).collect();
    for (hosts, said) in [(1, "about 1 host"), (60, "about 62 hosts")] {
        let found = find(&[(1, observation(&ports, &ports, hosts))]);
        assert_eq!(found[0].samples, [said]);
    }
}

#[test]
fn only_what_was_tried_and_is_chosen_counts() {
    let low: Vec<u16> = (1..=100).collect();
    let high: Vec<u16> = (40_000..40_100).collect();
    for (shape, observations, expected) in [
        ("tried", vec![(1, observation(&low, &low, 1))], true),
        (
            "tried just before",
            vec![
                (1, observation(&low, &[], 1)),
                (1, observation(&[], &low, 1)),
            ],
            true,
        ),
        (
            "answers to the pod",
            vec![(1, observation(&[], &low, 1))],
            false,
        ),
        (
            "ports of clients",
            vec![(1, observation(&high, &high, 1))],
            false,
        ),
        ("open", vec![(1, observation(&low, &[], 1))], false),
    ] {
        assert_eq!(!find(&observations).is_empty(), expected, "{shape}");
    }
}

#[test]
fn it_grows_by_decades_and_closes_after_the_quiet() {
    let ports: Vec<u16> = (1..=1000).collect();
    let found = find(&[
        (1, observation(&ports[..50], &ports[..50], 1)),
        (2, observation(&ports[..80], &ports[..80], 1)),
        (3, observation(&ports, &ports, 1)),
        (62, observation(&ports, &ports, 1)),
        (63, observation(&[], &[], 0)),
    ]);
    let states: Vec<_> = found.iter().map(|it| (it.state, it.counted)).collect();
    let expected = [
        (State::Opened, 50),
        (State::Updated, 1000),
        (State::Closed, 1000),
    ];
    assert_eq!(states, expected);
}
