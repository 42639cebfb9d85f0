//! How an anomaly opens, grows, closes, and does not come back.

use detect::{Detector, PortScan, State, Thresholds};

use crate::replay::{Fate, SUBJECT, find, ms, observations, peer, play, probe, scan, states};
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
    let mut detector = PortScan::new(Thresholds::default());
    let mut found = play(
        &mut detector,
        &observations(&scan(30, 10, Fate::Refuses(1)), 2000),
    );
    detector.remove(SUBJECT, ms(2500), &mut found);
    detector.remove(SUBJECT, ms(2600), &mut found);
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
