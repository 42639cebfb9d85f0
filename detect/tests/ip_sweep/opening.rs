//! What opens an anomaly, and what does not quite.

use detect::{IpSweepThresholds, Measure, Severity, State, Transport};

use crate::play::{Fate, Probe, find, find_with, host, ms, probe};
use Fate::{Answers, Drops, Refuses};

/// One port of so many hosts, one each so many milliseconds.
fn sweep(hosts: u32, every_ms: u64, fate: Fate) -> Vec<Probe> {
    (1..=hosts)
        .map(|n| probe(500 + u64::from(n - 1) * every_ms, n, 80, fate))
        .collect()
}

#[test]
fn each_threshold_opens_at_its_count_and_not_one_below() {
    use Measure::{FailedHostsPerPort, UnansweredHostsPerPort};
    for (threshold, every_ms, fate, measure, window_s) in [
        (16, 100, Refuses(1), FailedHostsPerPort, 60),
        (16, 3900, Refuses(1), FailedHostsPerPort, 60),
        (16, 3900, Drops, FailedHostsPerPort, 60),
        (20, 60_000, Refuses(1), FailedHostsPerPort, 3600),
        (20, 170_000, Drops, FailedHostsPerPort, 3600),
        (25, 1, Drops, UnansweredHostsPerPort, 60),
    ] {
        let case = format!("{threshold} hosts, one each {every_ms} ms, {fate:?}");
        let until = u64::from(threshold) * every_ms + 1900;
        let until = if measure == UnansweredHostsPerPort {
            until
        } else {
            until + 3000
        };
        let below = find(&sweep(threshold - 1, every_ms, fate), until);
        assert_eq!(below, [], "one below {case}");
        let found = find(&sweep(threshold, every_ms, fate), until);
        let [opened] = &found[..] else {
            panic!("{case}: {found:?}");
        };
        assert_eq!(opened.state, State::Opened, "{case}");
        assert_eq!(opened.crossed.measure, measure, "{case}");
        assert_eq!(opened.crossed.counted, u64::from(threshold), "{case}");
        assert_eq!(opened.crossed.threshold, u64::from(threshold), "{case}");
        assert_eq!(opened.crossed.window.as_secs(), window_s, "{case}");
        assert_eq!(opened.counted, u64::from(threshold), "{case}");
        assert_eq!(opened.severity, Severity::Medium, "{case}");
        assert!(opened.first_seen.since(ms(500)).as_millis() <= 1, "{case}");
        assert_eq!(opened.attack_ids, ["T1046", "T1018"], "{case}");
        let targets = opened.targets.len() as u64 + opened.further_targets;
        assert_eq!(targets, u64::from(threshold), "{case}");
    }
}

#[test]
fn failures_must_outnumber_answers() {
    for (answers, expected) in [(0_u32, true), (7, true), (8, false), (200, false)] {
        let mut probes = sweep(16, 10, Refuses(1));
        let answering = |n| probe(400, 1000 + n, 80, Answers(1));
        probes.extend((0..answers).map(answering));
        let found = find(&probes, 5000);
        assert_eq!(!found.is_empty(), expected, "16 fail, {answers} answer");
    }
}

#[test]
fn a_tenth_of_a_long_list_is_gone() {
    // A scraper of 1,000 targets, each every 15 s, for ten minutes.
    let round = |round: u64| {
        (0..1000_u32).map(move |n| {
            let fate = if n % 10 == 0 { Drops } else { Answers(2) };
            probe(round * 15_000 + u64::from(n) * 15, n + 1, 9100, fate)
        })
    };
    let probes: Vec<_> = (0..40).flat_map(round).collect();
    assert_eq!(find(&probes, 610_000), []);
}

#[test]
fn what_answered_before_does_not_count() {
    let mut probes = sweep(40, 10, Answers(1));
    probes.extend((1..=40).map(|n| probe(100_000 + u64::from(n), n, 80, Drops)));
    assert_eq!(find(&probes, 110_000), []);
}

#[test]
fn pairs_of_host_and_port_count_over_several_hosts() {
    let block = |hosts: u32, ports: u16| {
        let pairs = (1..=hosts).flat_map(move |n| (1..=ports).map(move |port| (n, port)));
        let probes = pairs.map(|(n, port)| probe(500, n, port, Refuses(1)));
        find(&probes.collect::<Vec<_>>(), 2000)
    };
    let found = block(8, 8);
    assert_eq!(found[0].crossed.measure, Measure::FailedPairs);
    assert_eq!((found[0].crossed.counted, found[0].counted), (64, 64));
    assert_eq!(found[0].targets.len(), 8);
    assert_eq!(found[0].targets[0].sample_ports, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(block(9, 7), [], "63 pairs");
    assert_eq!(block(7, 200), [], "a scan of the ports of seven hosts");
}

#[test]
fn every_transport_is_judged_by_its_own_measure() {
    for (transport, fate, expected) in [
        (Transport::Icmp, Drops, Some(Severity::Medium)),
        (Transport::Neighbour, Drops, Some(Severity::Medium)),
        (Transport::Sctp, Refuses(1), Some(Severity::Medium)),
        (Transport::Udp, Refuses(1), Some(Severity::Low)),
        (Transport::Udp, Drops, Some(Severity::Info)),
        (Transport::Protocol, Drops, None),
    ] {
        let probes = sweep(30, 10, fate)
            .into_iter()
            .map(|probe| Probe { transport, ..probe });
        let found = find(&probes.collect::<Vec<_>>(), 5000);
        let severity = found.first().map(|anomaly| anomaly.severity);
        assert_eq!(severity, expected, "{transport:?}, {fate:?}");
    }
}

#[test]
fn nobody_answers_for_a_group() {
    let probes = (0..60).map(|n| Probe {
        // 239.0.0.0 and on, seen from 10.244.0.0.
        host: 0xef00_0000_u32.wrapping_sub(0x0af4_0000) + n,
        ..probe(500, 0, 80, Drops)
    });
    let probes: Vec<_> = probes.collect();
    assert!(host(probes[0].host).is_multicast());
    assert_eq!(find(&probes, 5000), []);
}

#[test]
fn thresholds_are_those_that_are_set() {
    let strict = IpSweepThresholds {
        failed_hosts_per_minute: 3,
        excess_failures: 3,
        ..IpSweepThresholds::default()
    };
    assert_eq!(
        find_with(strict.clone(), &sweep(2, 10, Refuses(1)), 2000),
        []
    );
    assert_eq!(find_with(strict, &sweep(3, 10, Refuses(1)), 2000).len(), 1);
}
