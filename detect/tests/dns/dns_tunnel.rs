//! Data in names and in answers.

use detect::{Measure, Sample, Severity};

use crate::wire::{A, NULL, SERVER, TXT, answer, datagram, exchange, find, opened, query};

/// The `n`th piece of data, 32 characters of hexadecimal.
fn data(n: u64) -> String {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let again = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    format!("{mixed:016x}{again:016x}")
}

fn asks(count: u64, every_ms: u64, rtype: u16, name: impl Fn(u64) -> String) -> Vec<Sample> {
    (0..count)
        .map(|n| datagram(n * every_ms, true, &query(&name(n), rtype)))
        .collect()
}

fn found(samples: Vec<Sample>) -> Vec<(Severity, u64)> {
    opened(&find("dns_tunnel", samples, 1000))
}

#[test]
fn types_that_nobody_uses_open_at_the_eighth_name() {
    for rtype in [NULL, 65_280, 65_399, 65_534] {
        let name = |n| format!("y{n}.t.tunnel.example");
        assert_eq!(found(asks(7, 10, rtype, name)), [], "type {rtype}");
        assert_eq!(
            found(asks(8, 10, rtype, name)),
            [(Severity::High, 8)],
            "type {rtype}"
        );
    }
}

#[test]
fn data_both_ways_opens_at_the_tenth_name_of_a_minute_or_the_fortieth_of_an_hour() {
    let name = |n| format!("{}.example.com", data(n));
    for rtype in [5, 15, TXT, 33] {
        assert_eq!(found(asks(9, 1000, rtype, name)), [], "type {rtype}");
        assert_eq!(
            found(asks(10, 1000, rtype, name)),
            [(Severity::High, 10)],
            "type {rtype}"
        );
    }
    assert_eq!(found(asks(39, 80_000, TXT, name)), []);
    assert_eq!(found(asks(40, 80_000, TXT, name)), [(Severity::High, 40)]);
}

#[test]
fn data_one_way_opens_at_the_thirtieth_name_of_a_minute_or_the_120th_of_an_hour() {
    let name = |n| format!("{}.example.com", data(n));
    assert_eq!(found(asks(29, 1000, A, name)), []);
    assert_eq!(found(asks(30, 1000, A, name)), [(Severity::Medium, 30)]);
    assert_eq!(found(asks(119, 28_000, A, name)), []);
    assert_eq!(found(asks(120, 28_000, A, name)), [(Severity::Medium, 120)]);
}

#[test]
fn large_answers_count_whatever_the_name() {
    let stages = |bytes: u16| {
        let stage = |n| answer(&format!("stage{n}.example.com"), TXT, bytes);
        (0..12)
            .flat_map(|n| {
                let name = format!("stage{n}.example.com");
                exchange(n * 100, &name, TXT, &stage(n))
            })
            .collect()
    };
    let empty = answer("stage0.example.com", TXT, 0).len() as u16;
    assert_eq!(found(stages(254 - empty)), []);
    assert_eq!(found(stages(256 - empty)), [(Severity::High, 10)]);
}

#[test]
fn names_without_a_domain_are_counted_by_their_server() {
    let tunnel = asks(10, 100, TXT, |n| format!("dnscat.{}", data(n)));
    assert_eq!(found(tunnel), [(Severity::High, 10)]);
}

#[test]
fn names_too_long_to_be_seen_whole_count() {
    let label = |n| data(n) + &data(n + 1000)[..28];
    for rtype in [A, TXT] {
        let long = |n| format!("{}.example.com", [label(n), label(n), label(n)].join("."));
        assert_eq!(found(asks(9, 100, rtype, long)), [], "type {rtype}");
        assert_eq!(
            found(asks(10, 100, rtype, long)),
            [(Severity::High, 10)],
            "type {rtype}"
        );
    }
}

#[test]
fn it_tells_what_it_saw() {
    let found = find(
        "dns_tunnel",
        asks(300, 100, NULL, |n| format!("{}.a.b", data(n))),
        61_000,
    );
    assert_eq!(opened(&found).len(), 1);
    assert_eq!(found[0].crossed.measure, Measure::NamesOfOneDomain);
    assert_eq!(found[0].attack_ids, ["T1071.004", "T1048"]);
    assert_eq!(found[0].targets[0].address, SERVER);
    assert!(found[0].samples.contains(&format!("{}.a.b", data(0))));
    assert_eq!(found.last().map(|it| it.counted), Some(300));
}

#[test]
fn everyday_names_open_nothing() {
    let shapes: [(&str, Vec<Sample>); 9] = [
        (
            "one name again and again",
            asks(500, 10, NULL, |_| "x.example.com".into()),
        ),
        (
            "one record again and again",
            asks(500, 10, TXT, |_| format!("{}.a.com", data(1))),
        ),
        (
            "many names",
            asks(500, 10, A, |n| format!("shop-{n}.example.com")),
        ),
        (
            "many domains",
            asks(500, 10, TXT, |n| format!("{}.n{n}.com", data(n))),
        ),
        (
            "buckets below a public suffix",
            asks(500, 10, A, |n| format!("{}.s3.amazonaws.com", data(n))),
        ),
        (
            "keys of mail senders",
            asks(500, 10, TXT, |n| format!("s1._domainkey.n{n}.com")),
        ),
        (
            "addresses",
            asks(250, 10, 12, |n| {
                format!(
                    "{n}.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.f.ip6.arpa"
                )
            }),
        ),
        (
            "pods by name",
            asks(500, 10, A, |n| {
                format!("web-{}.web.default.svc.cluster.local", data(n))
            }),
        ),
        (
            "advertisers, a few names with each page",
            asks(500, 5000, A, |n| {
                format!("{}.safeframe.n{}.com", data(n), n % 5)
            }),
        ),
    ];
    for (shape, samples) in shapes {
        assert_eq!(found(samples), [], "{shape}");
    }
}
