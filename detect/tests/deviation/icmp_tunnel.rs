//! Data in ICMP echoes.

use detect::{
    Class, Measure, Observation, Severity::Medium, State, Technique, Transport, Volume, VolumeClass,
};

use crate::replay::{find, life, nothing, packets, peer, sent};
use State::{Closed, Opened};

/// So many pings in frames of so many bytes, and as many answers, seen by a sampler of one in `rate`.
fn pings(count: u64, sent: u64, received: u64, rate: u64) -> Observation {
    let mut observation = packets(Class::Echo, count);
    let sampled = |bytes| Volume {
        packets: count / rate * rate,
        bytes: count / rate * rate * bytes,
    };
    observation.sent[VolumeClass::Icmp as usize] = sampled(sent);
    observation.received[VolumeClass::Icmp as usize] = sampled(received);
    observation.sample_rate = rate as u32;
    observation
}

#[test]
fn thirty_large_ones_in_a_minute_are_a_tunnel() {
    for (count, sent, received, expected) in [
        (30, 300, 300, true),
        (29, 1250, 1250, false),
        (30, 299, 299, false),
        (30, 60, 1400, true),
        (30, 1400, 60, true),
        (1000, 98, 98, false),
        (15_000, 42, 42, false),
    ] {
        let found = find("icmp_tunnel", [(100, pings(count, sent, received, 1))]);
        let case = format!("{count} of {sent} and {received} bytes");
        assert_eq!(!found.is_empty(), expected, "{case}");
    }
}

#[test]
fn everyday_pings_are_none() {
    let each = |every_ms: u64, count: u64, bytes| {
        let one = move |n: u64| (n * every_ms, pings(1, bytes, bytes, 1));
        find("icmp_tunnel", (0..count).map(one))
    };
    assert_eq!(each(1000, 3600, 98), [], "an hour of ping");
    assert_eq!(each(1000, 5, 1442), [], "five large ones");
    assert_eq!(each(2200, 1000, 1442), [], "a large one now and then");
}

#[test]
fn errors_are_none_however_many_and_large() {
    let mut storm = pings(3000, 590, 590, 1);
    storm.initiated = Observation::empty(storm.subject).initiated;
    assert_eq!(
        find("icmp_tunnel", [(100, storm.clone()), (200, storm)]),
        []
    );
}

#[test]
fn a_mean_of_two_samples_is_not_believed() {
    for (count, expected) in [(47, false), (48, true)] {
        let found = find("icmp_tunnel", [(100, pings(count, 1250, 1250, 16))]);
        assert_eq!(!found.is_empty(), expected, "{count}");
    }
    let mut unsampled = pings(1000, 1250, 1250, 1);
    unsampled.sent = Default::default();
    unsampled.received = Default::default();
    unsampled.sample_rate = 0;
    assert_eq!(find("icmp_tunnel", [(100, unsampled)]), []);
}

#[test]
fn it_lasts_until_the_tunnel_rests() {
    let mut tunnel = pings(30, 1250, 1250, 1);
    let ping = |at, n| sent(at, peer(n), Transport::Icmp, 0, Technique::Ping);
    tunnel.contacts = vec![ping(90, 1)];
    let mut other = pings(30, 98, 98, 1);
    other.contacts = vec![ping(70_090, 2)];
    let found = find(
        "icmp_tunnel",
        [
            (100, tunnel),
            nothing(60_000),
            (70_100, other),
            nothing(300_000),
            nothing(300_100),
        ],
    );
    assert_eq!(life(&found), [(Opened, Medium), (Closed, Medium)]);
    let crossed = found[0].crossed;
    assert_eq!(crossed.measure, Measure::LargePings);
    assert_eq!((crossed.counted, crossed.threshold), (30, 30));
    let targets: Vec<_> = found[0].targets.iter().map(|it| it.address).collect();
    assert_eq!(targets, [peer(1)]);
    assert_eq!(found[1].counted, 30, "small ones are none of it");
}
