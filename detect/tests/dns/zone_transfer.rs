//! Zones asked for as a whole.

use detect::{Measure, Severity};

use crate::wire::{
    A, AXFR, IXFR, REFUSED, datagram, empty, find, opened, query, serving, signed, stream,
};

const ZONE: &str = "cluster.local";

#[test]
fn one_request_for_a_zone_opens() {
    for (how, sample) in [
        ("over TCP", stream(5, true, &query(ZONE, AXFR))),
        ("what is new in it", stream(5, true, &query(ZONE, IXFR))),
        ("over UDP", datagram(5, true, &query(ZONE, IXFR))),
    ] {
        let found = find("zone_transfer", [sample], 1000);
        assert_eq!(opened(&found), [(Severity::Medium, 1)], "{how}");
        assert_eq!(found[0].crossed.measure, Measure::ZoneTransfers);
        assert_eq!(found[0].samples, [ZONE]);
        assert_eq!(found[0].attack_ids, ["T1590.002"]);
    }
}

#[test]
fn several_zones_are_one_anomaly() {
    let root = find("zone_transfer", [stream(0, true, &query("", AXFR))], 1000);
    assert_eq!(root[0].samples, ["."]);
    let zones = (0..12).map(|n| stream(n * 200, true, &query(&format!("zone{n}.local"), AXFR)));
    let found = find("zone_transfer", zones, 61_000);
    assert_eq!(opened(&found).len(), 1);
    assert_eq!(found.last().map(|it| it.counted), Some(12));
}

#[test]
fn what_is_no_request_of_the_pod_opens_nothing() {
    let client = serving(datagram(0, false, &query("a.com", A)));
    let served = serving(datagram(1, true, &empty("a.com", A, REFUSED)));
    for (what, samples) in [
        ("names over TCP", vec![stream(5, true, &query(ZONE, A))]),
        (
            "an answer",
            vec![stream(5, false, &empty(ZONE, AXFR, REFUSED))],
        ),
        (
            "a signed request",
            vec![stream(5, true, &signed(ZONE, AXFR))],
        ),
        (
            "a request to the pod",
            vec![serving(datagram(5, false, &query(ZONE, IXFR)))],
        ),
        (
            "a secondary server",
            vec![client, served, stream(5, true, &query(ZONE, AXFR))],
        ),
    ] {
        assert_eq!(find("zone_transfer", samples, 1000), [], "{what}");
    }
}
