//! What counts as failed, also when records are late, repeated or lost.

use std::net::IpAddr;

use detect::{
    Anomaly, Contact, Count, Coverage, Measure, Observation, Outcome, ParseFailure,
    PortScanThresholds, Severity, State, Technique,
};

use crate::replay::{
    Fate, POD, Probe, SENT, SUBJECT, contact, find, ms, peer, play, port_scan, probe, refused,
    states,
};
use State::{Closed, Opened};

/// Nothing but what fails.
pub(crate) fn failures_only() -> PortScanThresholds {
    PortScanThresholds {
        low_ports_per_minute: 65_536,
        crafted_ports_per_hour: 65_536,
        ..PortScanThresholds::default()
    }
}

/// What one observation with these contacts and losses, and two empty ones, lead to.
fn observe(contacts: Vec<Contact>, records_dropped: u64) -> Vec<Anomaly> {
    observe_with(failures_only(), contacts, records_dropped)
}

pub(crate) fn observe_with(
    thresholds: PortScanThresholds,
    contacts: Vec<Contact>,
    records_dropped: u64,
) -> Vec<Anomaly> {
    let mut observation = Observation::empty(SUBJECT);
    observation.contacts = contacts;
    observation.counts[Count::RecordsDropped as usize] = records_dropped;
    let empty = |at_ms| (ms(at_ms), Observation::empty(SUBJECT));
    play(
        &mut port_scan(thresholds),
        &[(ms(1000), observation), empty(2000), empty(5000)],
    )
}

#[test]
fn a_port_fails_by_refusal_or_silence_and_an_answer_takes_it_back() {
    // Nine ports fail for sure; the fate of the tenth decides.
    for (name, tenth, expected) in [
        ("answered", vec![(1000, Fate::Answers(1))], false),
        (
            "answered after exactly the silence",
            vec![(1000, Fate::Answers(2000))],
            false,
        ),
        (
            "answered just after the silence",
            vec![(1000, Fate::Answers(2100))],
            true,
        ),
        ("answered late", vec![(1000, Fate::Answers(5000))], true),
        ("refused", vec![(1000, Fate::Refuses(1))], true),
        ("refused late", vec![(1000, Fate::Refuses(5000))], true),
        ("dropped", vec![(1000, Fate::Drops)], true),
        (
            "answered before, now dropped",
            vec![(1000, Fate::Answers(1)), (1500, Fate::Drops)],
            false,
        ),
        ("not probed", vec![], false),
    ] {
        let nine = (1..10).map(|port| probe(2000, peer(1), port, Fate::Refuses(1)));
        let tenth = tenth
            .into_iter()
            .map(|(at_ms, fate)| probe(at_ms, peer(1), 10, fate));
        let mut probes: Vec<Probe> = nine.chain(tenth).collect();
        probes.sort_by_key(|probe| probe.at_ms);
        let found = find(&probes, 20_000);
        assert_eq!(!found.is_empty(), expected, "the tenth port is {name}");
    }
}

#[test]
fn failures_that_were_taken_back_do_not_add_up() {
    // Eight slow ports at a time, each answered a second after it was called silent.
    let slow = (0..64_u16).map(|n| {
        let at_ms = u64::from(n / 8) * 6000;
        probe(at_ms, peer(1), 12_000 + n, Fate::Answers(3000))
    });
    assert_eq!(find(&slow.collect::<Vec<_>>(), 80_000), []);
}

#[test]
fn one_port_that_fails_again_and_again_counts_once() {
    let again = (0..200_u16).map(|n| {
        let fate = if n % 3 == 0 {
            Fate::Drops
        } else {
            Fate::Refuses(2)
        };
        probe(u64::from(n) * 300, peer(1), 9000 + n % 9, fate)
    });
    assert_eq!(find(&again.collect::<Vec<_>>(), 80_000), []);
}

#[test]
fn a_refusal_counts_when_the_record_of_its_probe_was_lost() {
    let refused = |count| (1..=count).map(|port| contact(900, peer(1), port, Outcome::Refused));
    assert_eq!(observe(refused(9).collect(), 9), []);
    let found = observe(refused(10).collect(), 10);
    assert_eq!(states(&found), [Opened]);
    assert_eq!(found[0].coverage.records_dropped, 10);
    assert_eq!((found[0].pod, found[0].technique), (Some(POD), None));
}

#[test]
fn a_lost_record_may_have_been_an_answer_and_excuses_one_silent_probe() {
    for (sent, lost, expected) in [
        (30, 30, false),
        (30, 21, false),
        (30, 20, true),
        (10, 0, true),
    ] {
        let contacts = (1..=sent)
            .map(|port| contact(900, peer(1), port, SENT))
            .collect();
        let found = observe(contacts, lost);
        assert_eq!(
            !found.is_empty(),
            expected,
            "{sent} silent probes, {lost} records lost"
        );
    }
}

#[test]
fn a_loss_excuses_no_probe_sent_after_it() {
    let mut lossy = Observation::empty(SUBJECT);
    lossy.counts[Count::RecordsDropped as usize] = 1000;
    let mut scan = Observation::empty(SUBJECT);
    scan.contacts = (1..=10)
        .map(|port| contact(1500, peer(1), port, SENT))
        .collect();
    let empty = (ms(4000), Observation::empty(SUBJECT));
    let mut detector = port_scan(PortScanThresholds::default());
    let found = play(&mut detector, &[(ms(1000), lossy), (ms(2000), scan), empty]);
    assert_eq!(states(&found), [Opened]);
}

#[test]
fn the_failed_ports_are_named_when_both_rules_cross_at_once() {
    let mut observation = Observation::empty(SUBJECT);
    observation.tcp_ports = (1..=300).collect();
    observation.tripped = Some(ms(850));
    let mut found = Vec::new();
    port_scan(PortScanThresholds::default()).observe(&observation, ms(1000), &mut found);
    assert_eq!(found[0].crossed.measure, Measure::DistinctPorts);
    assert_eq!(
        (found[0].crossed.counted, found[0].crossed.threshold),
        (300, 250)
    );
    assert_eq!(
        (found[0].crossed_at, found[0].severity),
        (ms(850), Severity::Medium)
    );
    assert_eq!(found[0].targets, []);

    observation.contacts = vec![contact(900, peer(1), 1, SENT)];
    found.clear();
    port_scan(PortScanThresholds::default()).observe(&observation, ms(1000), &mut found);
    assert_eq!(
        (found[0].first_seen, found[0].last_seen),
        (ms(850), ms(900))
    );

    let both = (1..=12).flat_map(|port| refused(900, peer(1), port));
    observation.contacts = both.collect();
    found.clear();
    port_scan(PortScanThresholds::default()).observe(&observation, ms(1000), &mut found);
    assert_eq!(found[0].crossed.measure, Measure::FailedPortsPerDestination);
    assert_eq!(
        (found[0].crossed.counted, found[0].crossed.threshold),
        (12, 10)
    );
    assert_eq!(
        (found[0].crossed_at, found[0].severity),
        (ms(900), Severity::High)
    );
}

#[test]
fn the_most_frequent_technique_is_named() {
    for (xmas, null, expected) in [(9, 3, Technique::Xmas), (3, 9, Technique::Null)] {
        let sent = |technique| move |port| contact(900, peer(1), port, Outcome::Sent(technique));
        let mut contacts: Vec<_> = (0..xmas).map(sent(Technique::Xmas)).collect();
        contacts.extend((100..100 + null).map(sent(Technique::Null)));
        assert_eq!(observe(contacts, 0)[0].technique, Some(expected));
    }
}

#[test]
fn the_address_that_is_answered_is_the_pods_and_not_a_decoy() {
    let decoy = "198.51.100.1".parse().ok();
    let mut contacts = Vec::new();
    for port in 1..=10 {
        contacts.push(Contact {
            pod: decoy.unwrap_or(POD),
            ..contact(800, peer(1), port, SENT)
        });
        contacts.push(contact(800, peer(1), port, SENT));
        contacts.extend(refused(801, peer(1), port));
        contacts.push(Contact {
            pod: decoy.unwrap_or(POD),
            ..contact(801, peer(1), port, SENT)
        });
    }
    contacts.sort_by_key(|contact| contact.at);
    assert_eq!(observe(contacts, 0)[0].pod, Some(POD));
}

#[test]
fn targets_are_sorted_by_failed_ports_then_address_and_bounded() {
    let mut probes = Vec::new();
    for host in 0..40_u32 {
        let failed = if host < 20 { 10 + host as u16 / 2 } else { 1 };
        let reach = |port| probe(500, peer(host), port, Fate::Refuses(1));
        probes.extend((1..=failed).map(reach));
        probes.push(probe(500, peer(host), 443, Fate::Answers(1)));
    }
    // A service the pod talks to all the time is no target.
    probes.push(probe(500, peer(99), 5432, Fate::Answers(1)));
    let found = find(&probes, 90_000);
    assert_eq!(states(&found), [Opened, Closed]);
    let targets: Vec<_> = found[1]
        .targets
        .iter()
        .map(|t| (t.address, t.failed_ports))
        .collect();
    let expected = (0..16).map(|n| (peer(18 - n / 2 * 2 + n % 2), u32::from(19 - n as u16 / 2)));
    assert_eq!(targets, expected.collect::<Vec<_>>());
    assert_eq!(found[1].further_targets, 24);
    assert_eq!(found[1].targets[0].answered_ports, 1);
    let sample = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    assert_eq!(found[1].targets[0].sample_ports, sample);
}

#[test]
fn a_loss_that_excused_nothing_is_not_kept_for_the_next_one() {
    let lossy = |at_ms, records_dropped| {
        let mut observation = Observation::empty(SUBJECT);
        observation.counts[Count::RecordsDropped as usize] = records_dropped;
        (ms(at_ms), observation)
    };
    let mut scan = lossy(10_000, 5);
    scan.1.contacts = (1..=15)
        .map(|port| contact(9500, peer(1), port, SENT))
        .collect();
    let mut detector = port_scan(failures_only());
    let found = play(
        &mut detector,
        &[lossy(1000, 1000), lossy(5000, 0), scan, lossy(12_000, 0)],
    );
    assert_eq!(states(&found), [Opened]);
}

#[test]
fn silence_is_decided_in_the_observation_that_ends_with_it() {
    let sent = (1..=10)
        .map(|port| contact(1000, peer(1), port, SENT))
        .collect();
    let mut observation = Observation::empty(SUBJECT);
    observation.contacts = sent;
    let mut detector = port_scan(PortScanThresholds::default());
    assert_eq!(play(&mut detector, &[(ms(1000), observation)]), []);
    assert_eq!(
        play(&mut detector, &[(ms(2999), Observation::empty(SUBJECT))]),
        []
    );
    let found = play(&mut detector, &[(ms(3000), Observation::empty(SUBJECT))]);
    assert_eq!(found[0].crossed_at, ms(3000));
}

#[test]
fn a_port_that_answered_within_a_day_is_known() {
    for (later_ms, expected) in [(23 * 3_600_000, vec![]), (25 * 3_600_000, vec![Opened])] {
        let known = contact(500, peer(1), 443, Outcome::Answered);
        let asked = contact(400, peer(1), 443, SENT);
        let mut detector = port_scan(PortScanThresholds::default());
        let mut observation = Observation::empty(SUBJECT);
        observation.contacts = vec![asked, known];
        play(&mut detector, &[(ms(1000), observation)]);
        let mut observation = Observation::empty(SUBJECT);
        let nine = (1..10).flat_map(|port| refused(later_ms, peer(1), port));
        observation.contacts = nine.chain(refused(later_ms, peer(1), 443)).collect();
        let empty = (ms(later_ms - 60_000), Observation::empty(SUBJECT));
        let found = play(&mut detector, &[empty, (ms(later_ms), observation)]);
        assert_eq!(states(&found), expected, "after {later_ms} ms");
    }
}

#[test]
fn the_first_destination_to_cross_tells_when() {
    let mut contacts = Vec::new();
    for (at_ms, host) in [(700, 2), (800, 1), (900, 3)] {
        contacts.extend((1..=10).flat_map(|port| refused(at_ms, peer(host), port)));
    }
    assert_eq!(observe(contacts, 0)[0].crossed_at, ms(700));
}

#[test]
fn coverage_is_summed_over_the_life() {
    let mut observation = Observation::empty(SUBJECT);
    observation.contacts = (1..=10).flat_map(|n| refused(900, peer(1), n)).collect();
    let mut detector = port_scan(PortScanThresholds::default());
    let mut found = Vec::new();
    for at_ms in [1000, 2000, 70_000] {
        observation.counts[Count::RecordsDropped as usize] = 2;
        observation.unparsed[ParseFailure::Tcp as usize] = 3;
        observation.counts[Count::Spoofed as usize] = 4;
        observation.counts[Count::Contained as usize] = 5;
        observation.reply_filter_percent = 6;
        observation.sample_rate = 16;
        detector.observe(&observation, ms(at_ms), &mut found);
        observation.contacts.clear();
    }
    assert_eq!(states(&found), [Opened, Closed]);
    let coverage = |records_dropped, parse_failures| Coverage {
        records_dropped,
        parse_failures,
        sample_rate: 16,
        spoofed_packets: parse_failures / 3 * 4,
        contained_packets: parse_failures / 3 * 5,
        reply_filter_percent: 6,
    };
    assert_eq!(
        (found[0].coverage, found[1].coverage),
        (coverage(2, 3), coverage(6, 9))
    );
}

#[test]
fn nobody_can_accuse_a_pod_of_what_it_did_not_send() {
    let unasked = (1..=20).map(|port| contact(900, peer(1), port, Outcome::Refused));
    assert_eq!(observe(unasked.collect(), 0), []);
    let answered_first = (1..=20).flat_map(|port| {
        [
            contact(700, peer(1), port, SENT),
            contact(800, peer(1), port, Outcome::Answered),
            contact(900, peer(1), port, Outcome::Refused),
        ]
    });
    assert_eq!(observe(answered_first.collect(), 0), []);
}

#[test]
fn noise_does_not_drive_out_a_scan() {
    let mut detector = port_scan(PortScanThresholds::default());
    let mut opened = Vec::new();
    for round in 0..4_u16 {
        let at_ms = 1000 + u64::from(round) * 1000;
        let mut observation = Observation::empty(SUBJECT);
        let ports = 1 + round * 3..=3 + round * 3;
        observation.contacts = ports
            .flat_map(|port| refused(at_ms, peer(1), port))
            .collect();
        let noise = (0..1100_u32).flat_map(|host| {
            refused(
                at_ms,
                IpAddr::from(((0xfd00 << 112) + u128::from(host)).to_be_bytes()),
                80,
            )
        });
        observation.contacts.extend(noise);
        detector.observe(&observation, ms(at_ms + 500), &mut opened);
    }
    assert_eq!(states(&opened)[..1], [Opened]);
    assert_eq!(opened[0].targets[0].address, peer(1));
}

#[test]
fn the_source_of_a_probe_proves_nothing() {
    let silent = (1..=10).map(|port| contact(900, peer(1), port, SENT));
    assert_eq!(observe(silent.collect(), 0)[0].pod, None);
    let refusals = (1..=10).flat_map(|port| refused(900, peer(1), port));
    assert_eq!(observe(refusals.collect(), 0)[0].pod, Some(POD));
}
