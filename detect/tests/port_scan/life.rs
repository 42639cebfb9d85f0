//! How an anomaly opens, grows, closes, and does not come back.

use std::time::Duration;

use detect::{
    Anomaly, Budget, Detectors, Observation, PortScanThresholds, Severity, State, Subject,
};

use crate::replay::{
    FIRST, Fate, SUBJECT, find, ms, observations, peer, play, port_scan, probe, refused, scan,
    states,
};
use State::{Closed, Opened, Updated};

#[test]
fn a_scan_of_all_ports_is_one_anomaly_that_counts_every_port() {
    let probes: Vec<_> = (1..=u16::MAX)
        .map(|port| probe(u64::from(port) / 5, peer(1), port, Fate::Refuses(1)))
        .collect();
    let found = find(&probes, 200_000);
    assert_eq!(states(&found)[0], Opened);
    assert_eq!(states(&found)[found.len() - 1], Closed);
    assert!(found.iter().all(|anomaly| anomaly.id == found[0].id));
    let closed = &found[found.len() - 1];
    assert_eq!(
        (closed.ports.distinct, closed.ports.refused),
        (65_535, 65_535)
    );
    assert_eq!(closed.targets[0].failed_ports, 65_535);
    assert_eq!(
        closed.targets[0].sample_ports,
        (1..=16).collect::<Vec<u16>>()
    );
}

#[test]
fn what_was_seen_before_the_end_opens_nothing_after_it() {
    // The hour still holds 30 failed ports when the anomaly closes after a quiet minute.
    let mut probes = scan(30, 100, Fate::Refuses(1));
    assert_eq!(states(&find(&probes, 3_500_000)), [Opened, Closed]);
    probes.extend((0..9_u16).map(|n| probe(100_000, peer(1), 2000 + n, Fate::Refuses(1))));
    assert_eq!(
        states(&find(&probes, 3_500_000)),
        [Opened, Closed],
        "nine more are too few"
    );
    probes.push(probe(100_500, peer(1), 2009, Fate::Refuses(1)));
    let found = find(&probes, 3_500_000);
    assert_eq!(
        states(&found),
        [Opened, Closed, Opened, Closed],
        "ten more are a new scan"
    );
    assert_ne!(found[1].id, found[2].id);
    assert_eq!(found[3].ports.distinct, 10);
}

#[test]
fn a_removed_pod_closes_its_anomaly_and_is_forgotten() {
    let mut detector = port_scan(PortScanThresholds::default());
    let mut found = play(
        &mut detector,
        &observations(&scan(30, 10, Fate::Refuses(1)), 2000),
    );
    detector.remove(SUBJECT, &mut found);
    detector.remove(SUBJECT, &mut found);
    assert_eq!(states(&found), [Opened, Closed]);
    assert_eq!(found[1].ports.distinct, 30);
    assert_eq!(play(&mut detector, &observations(&[], 200_000)), []);
}

#[test]
fn a_decade_of_ports_or_a_new_target_updates_it() {
    let mut probes = scan(12, 10, Fate::Refuses(1));
    probes.extend((0..100).map(|n| probe(5000, peer(1), 5000 + n, Fate::Refuses(1))));
    probes.extend((0..10).map(|n| probe(9000, peer(2), 5000 + n, Fate::Refuses(1))));
    probes.extend((0..10).map(|n| probe(12_000, peer(2), 5000 + n, Fate::Refuses(1))));
    probes.extend((0..9).map(|n| probe(12_000, peer(3), 5000 + n, Fate::Refuses(1))));
    let found = find(&probes, 80_000);
    assert_eq!(states(&found), [Opened, Updated, Updated, Closed]);
    assert_eq!(found[1].ports.distinct, 112);
    assert_eq!(found[2].targets.len(), 2);
}

#[test]
fn distinct_ports_are_counted_from_the_start_of_the_window_that_was_crossed() {
    // A port every 100 s crosses the hour; the minute would hold one port only.
    let probes = scan(40, 100_000, Fate::Drops);
    let thresholds = PortScanThresholds {
        quiet: Duration::from_secs(200),
        ..PortScanThresholds::default()
    };
    let found = play(
        &mut port_scan(thresholds),
        &observations(&probes, 4_300_000),
    );
    assert_eq!(states(&found), [Opened, Closed]);
    assert_eq!(found[0].ports.distinct, 12);
    assert_eq!((found[1].ports.distinct, found[1].ports.silent), (40, 40));
    assert_eq!(found[1].targets[0].failed_ports, 40);
    assert_eq!(
        (found[1].first_seen, found[1].last_seen),
        (ms(500), ms(3_900_500))
    );
}

#[test]
fn it_closes_after_the_quiet_and_what_is_not_new_does_not_keep_it_open() {
    for (name, more, closed_at_s, last_seen_ms) in [
        ("nothing", vec![], 61, 611),
        (
            "a new port",
            vec![(30_000, 5000, Fate::Answers(1))],
            90,
            30_000,
        ),
        (
            "a port that answered before",
            vec![(30_000, 443, Fate::Answers(1))],
            61,
            611,
        ),
        (
            "a port that failed before",
            vec![(30_000, FIRST, Fate::Drops)],
            61,
            611,
        ),
        (
            "a known port that now fails",
            vec![(30_000, 443, Fate::Drops)],
            61,
            611,
        ),
    ] {
        let mut probes = scan(12, 10, Fate::Refuses(1));
        probes.push(probe(500, peer(1), 443, Fate::Answers(1)));
        probes.extend(
            more.into_iter()
                .map(|(at_ms, port, fate)| probe(at_ms, peer(1), port, fate)),
        );
        let mut detector = port_scan(PortScanThresholds::default());
        let mut closed_at = None;
        for (now, observation) in observations(&probes, 200_000) {
            let mut found = Vec::new();
            detector.observe(&observation, now, &mut found);
            if states(&found) == [Closed] {
                assert_eq!(closed_at.replace(now), None, "closed twice after {name}");
                assert_eq!(found[0].last_seen, ms(last_seen_ms), "{name}");
            }
        }
        assert_eq!(closed_at, Some(ms(closed_at_s * 1000)), "{name}");
    }
}

#[test]
fn a_destination_that_crosses_later_makes_it_high() {
    let mut probes: Vec<_> = (20_000..20_260)
        .map(|n| probe(500, peer(1), n, Fate::Answers(1)))
        .collect();
    probes.push(probe(500, peer(9), 5432, Fate::Answers(1)));
    probes.extend((0..10).map(|n| probe(5500, peer(2), n, Fate::Refuses(1))));
    let found = find(&probes, 10_000);
    assert_eq!(states(&found), [Opened, Updated]);
    assert_eq!(
        (found[0].severity, found[1].severity),
        (Severity::Medium, Severity::High)
    );
    assert_eq!(found[0].crossed, found[1].crossed);
    let targets = |anomaly: &Anomaly| {
        anomaly
            .targets
            .iter()
            .map(|t| t.address)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        targets(&found[0]),
        [peer(1)],
        "a service on one port is no target"
    );
    assert_eq!(targets(&found[1]), [peer(2), peer(1)]);
}

#[test]
fn the_budget_leads_to_the_nearest_threshold_or_to_the_next_step() {
    let mut detector = port_scan(PortScanThresholds::default());
    let budget = |detector: &Detectors, at_ms| {
        let Budget { ports, refused } = detector.budget(SUBJECT, ms(at_ms));
        (ports, refused)
    };
    assert_eq!(budget(&detector, 0), (8, 10), "never seen");
    play(
        &mut detector,
        &observations(&scan(7, 1, Fate::Refuses(1)), 1000),
    );
    assert_eq!(budget(&detector, 1000), (8, 3), "seven refused");
    assert_eq!(
        budget(&detector, 100_000),
        (8, 5),
        "a minute later the hour is nearest"
    );
    let later = |first, count| {
        let mut observation = Observation::empty(SUBJECT);
        observation.tcp_ports = (first..first + count).collect();
        observation.refused.clone_from(&observation.tcp_ports);
        let refused = |port| refused(200_000, peer(1), port);
        observation.contacts = (first..first + count).flat_map(refused).collect();
        (ms(200_000), observation)
    };
    play(&mut detector, &[later(10, 10)]);
    assert_eq!(
        budget(&detector, 200_000),
        (83, 10),
        "open since the hour was crossed, to the next power of ten"
    );
    play(&mut detector, &[later(1000, 5000)]);
    assert_eq!(
        budget(&detector, 200_000),
        (4983, 501),
        "open, a tenth of the refusals"
    );
}

#[test]
fn pods_do_not_share_anything() {
    let mut detector = port_scan(PortScanThresholds::default());
    let mut found = Vec::new();
    for (ifindex, ports) in [(1, 1..=9_u16), (2, 10..=18), (3, 1..=10)] {
        let subject = Subject { ifindex, epoch: 1 };
        let mut observation = Observation::empty(subject);
        let refused = |port| refused(900, peer(1), port);
        observation.contacts = ports.flat_map(refused).collect();
        detector.observe(&observation, ms(1000), &mut found);
    }
    assert_eq!(states(&found), [Opened]);
    assert_eq!(found[0].id.subject.ifindex, 3);
}

#[test]
fn the_same_input_gives_the_same_output() {
    let probes: Vec<_> = (0..6000_u32)
        .map(|n| {
            let fate = [Fate::Answers(5), Fate::Drops, Fate::Refuses(2)][n as usize % 3];
            probe(u64::from(n) * 7, peer(n % 900), (n / 900 * 37) as u16, fate)
        })
        .chain((0..3000).map(|n| probe(45_000 + u64::from(n), peer(1000 + n), 80, Fate::Drops)))
        .chain((0..300).map(|n| probe(60_000, peer(u32::from(n) % 30), n, Fate::Refuses(1))))
        .collect();
    let thresholds = PortScanThresholds {
        failed_ports_per_minute: 2,
        ..PortScanThresholds::default()
    };
    let observations = observations(&probes, 200_000);
    let found = play(&mut port_scan(thresholds.clone()), &observations);
    assert!(
        found.len() > 3,
        "too little to compare: {:?}",
        states(&found)
    );
    assert!(
        found
            .iter()
            .any(|anomaly| anomaly.coverage.records_dropped > 0),
        "none forgotten"
    );
    assert_eq!(found, play(&mut port_scan(thresholds), &observations));
}

#[test]
fn ports_that_take_their_time_to_fail_are_counted_from_when_they_were_probed() {
    let at = (0..10_u64).map(|n| if n == 9 { 70_900 } else { 10_000 + n * 6000 });
    let probes: Vec<_> = at
        .zip(1..)
        .map(|(at, n)| probe(at, peer(1), n, Fate::Drops))
        .collect();
    let found = find(&probes, 80_000);
    assert_eq!(found[0].ports.distinct, 10);
    assert_eq!(
        (found[0].first_seen, found[0].crossed_at),
        (ms(10_000), ms(72_900))
    );
}
