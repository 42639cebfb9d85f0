//! Packets from addresses that are not the pod's.

use detect::{Contact, Count, Measure, Observation, Severity::Medium, State, Technique, Transport};

use crate::replay::{SUBJECT, find, life, peer, sent};
use State::Opened;

fn forged(packets: u64) -> Observation {
    let mut observation = Observation::empty(SUBJECT);
    observation.counts[Count::Spoofed as usize] = packets;
    observation
}

#[test]
fn ten_in_a_minute_are_too_many() {
    for (count, expected) in [(9, vec![]), (10, vec![(Opened, Medium)])] {
        let found = find("spoofed_source", [(100, forged(count))]);
        assert_eq!(life(&found), expected, "{count}");
    }
    let one = |n: u64| (n * 6800, forged(1));
    assert_eq!(find("spoofed_source", (0..100).map(one)), []);
}

#[test]
fn it_names_targets_and_sources() {
    let mut flood = forged(5000);
    let contact = |source, n| Contact {
        pod: peer(source),
        spoofed: true,
        ..sent(90, peer(n), Transport::Tcp, 80, Technique::Syn)
    };
    let own = sent(91, peer(7), Transport::Tcp, 80, Technique::Syn);
    flood.contacts = vec![contact(501, 1), contact(502, 2), own];
    let found = find("spoofed_source", [(100, flood)]);
    assert_eq!(found[0].crossed.measure, Measure::ForgedSources);
    assert_eq!(found[0].counted, 5000);
    assert_eq!(
        found[0].samples,
        ["source 10.244.1.245", "source 10.244.1.246"]
    );
    let targets: Vec<_> = found[0].targets.iter().map(|it| it.address).collect();
    assert_eq!(targets, [peer(1), peer(2)]);
    assert_eq!(found[0].coverage.spoofed_packets, 5000);
}
