//! Names tried to learn what there is.

use detect::{Measure, Sample, Severity, State};

use crate::wire::{
    A, NO_ERROR, NXDOMAIN, PTR, SERVER, SRV, datagram, empty, exchange, find, known, opened, query,
    serving, unknown,
};

const OPEN: Severity = Severity::Medium;

fn each<const N: usize>(
    count: u64,
    every_ms: u64,
    it: impl Fn(u64, u64) -> [Sample; N],
) -> Vec<Sample> {
    (0..count).flat_map(|n| it(n * every_ms, n)).collect()
}

/// A client that tries each name with the search suffixes of its namespace, and then by itself.
fn searched(at: u64, name: &str, exists: bool) -> Vec<Sample> {
    let suffixes = [
        ".default.svc.cluster.local",
        ".svc.cluster.local",
        ".cluster.local",
    ];
    let tries = (0..)
        .zip(suffixes)
        .flat_map(|(n, suffix)| unknown(at + 2 * n, &format!("{name}{suffix}")));
    let last = if exists {
        known(at + 6, name)
    } else {
        unknown(at + 6, name)
    };
    tries.chain(last).collect()
}

fn found(samples: Vec<Sample>) -> Vec<(Severity, u64)> {
    opened(&find("dns_enumeration", samples, 1000))
}

#[test]
fn services_open_at_the_twentieth_of_a_minute_or_the_sixtieth_of_an_hour() {
    let service = |at, n| unknown(at, &format!("s{n}.default.svc.cluster.local"));
    assert_eq!(found(each(19, 100, service)), []);
    assert_eq!(found(each(20, 100, service)), [(OPEN, 20)]);
    assert_eq!(found(each(59, 50_000, service)), []);
    assert_eq!(found(each(60, 50_000, service)), [(OPEN, 60)]);
    let ports = |at, n| {
        let name = format!("_http._tcp.s{n}.default.svc.k8s.corp.com");
        exchange(at, &name, SRV, &empty(&name, SRV, NXDOMAIN))
    };
    assert_eq!(
        found(each(20, 100, ports)),
        [(OPEN, 20)],
        "ports in a zone of its own"
    );
    let namespaces = |at, n| unknown(at, &format!("n{n}.svc.cluster.local"));
    assert_eq!(found(each(20, 100, namespaces)), [(OPEN, 20)], "namespaces");
}

#[test]
fn services_tried_with_search_suffixes_count_once() {
    let services =
        |count| (0..count).flat_map(|n| searched(n * 100, &format!("s{n}.kube-system"), false));
    assert_eq!(found(services(19).collect()), []);
    assert_eq!(found(services(20).collect()), [(OPEN, 20)]);
    let short = |count| (0..count).flat_map(|n| searched(n * 100, &format!("s{n}"), false));
    assert_eq!(found(short(19).collect()), []);
    assert_eq!(found(short(20).collect()), [(OPEN, 20)]);
}

#[test]
fn one_name_of_all_services_opens() {
    for (name, expected) in [
        ("*.*.svc.cluster.local", vec![(OPEN, 1)]),
        ("*.default.svc.cluster.local", vec![(OPEN, 1)]),
        ("_http._tcp.*.*.svc.cluster.local", vec![(OPEN, 1)]),
        ("any.any.svc.cluster.local", vec![(OPEN, 1)]),
        ("any.any.any.svc.cluster.local", vec![(OPEN, 1)]),
        ("any.default.svc.cluster.local", vec![]),
        ("*.example.com", vec![]),
    ] {
        assert_eq!(
            found(vec![datagram(0, true, &query(name, SRV))]),
            expected,
            "{name}"
        );
    }
}

#[test]
fn addresses_open_at_a_quarter_of_a_block() {
    let asks = |at, n: u64| {
        [datagram(
            at,
            true,
            &query(&format!("{n}.0.244.10.in-addr.arpa"), PTR),
        )]
    };
    assert_eq!(found(each(63, 10, asks)), []);
    assert_eq!(found(each(64, 10, asks)), [(OPEN, 64)]);
    assert_eq!(found(each(159, 20_000, asks)), []);
    assert_eq!(found(each(160, 20_000, asks)), [(OPEN, 160)]);
    let sixth = |at, n: u64| {
        let zeroes = "0.".repeat(28);
        let name = format!("{:x}.{:x}.{zeroes}d.f.ip6.arpa", n % 16, n / 16);
        [datagram(at, true, &query(&name, PTR))]
    };
    assert_eq!(found(each(64, 10, sixth)), [(OPEN, 64)]);
}

#[test]
fn words_open_at_the_32nd_of_a_minute_or_the_128th_of_an_hour() {
    let denied = |at, n| unknown(at, &format!("word{n}.example.com"));
    assert_eq!(found(each(31, 100, denied)), []);
    assert_eq!(found(each(32, 100, denied)), [(OPEN, 32)]);
    assert_eq!(found(each(127, 25_000, denied)), []);
    assert_eq!(found(each(128, 25_000, denied)), [(OPEN, 128)]);
    let unanswered = |at, n| {
        [datagram(
            at,
            true,
            &query(&format!("word{n}.example.com"), A),
        )]
    };
    assert_eq!(found(each(32, 100, unanswered)), [], "not yet");
    let after = |count| opened(&find("dns_enumeration", each(count, 100, unanswered), 3000));
    assert_eq!(after(31), []);
    assert_eq!(after(32), [(OPEN, 32)]);
}

#[test]
fn words_among_as_many_that_exist_do_not_count() {
    let first = unknown(0, "first.example.com").to_vec();
    let tenants = |living| {
        let lives = each(living, 10, |at, n| {
            known(at + 10, &format!("tenant{n}.example.com"))
        });
        let gone = each(39, 10, |at, n| {
            unknown(at + 1000, &format!("gone{n}.example.com"))
        });
        [first.clone(), lives, gone].concat()
    };
    assert_eq!(found(tenants(40)), []);
    assert_eq!(found(tenants(39)), [(OPEN, 40)]);
}

#[test]
fn it_tells_what_it_saw() {
    let service = |at, n| unknown(at, &format!("s{n}.default.svc.cluster.local"));
    let found = find("dns_enumeration", each(120, 100, service), 61_000);
    assert_eq!(opened(&found).len(), 1);
    assert_eq!(found[0].crossed.measure, Measure::UnknownServices);
    assert_eq!(found[0].attack_ids, ["T1046"]);
    assert_eq!(found[0].targets[0].address, SERVER);
    assert!(
        found[0]
            .samples
            .contains(&"s3.default.svc.cluster.local".to_owned())
    );
    assert_eq!(
        found.last().map(|it| (it.state, it.counted)),
        Some((State::Closed, 120))
    );
}

#[test]
fn everyday_names_open_nothing() {
    let shapes: [(&str, Vec<Sample>); 9] = [
        (
            "names outside, with search suffixes",
            (0..500)
                .flat_map(|n| searched(n * 20, &format!("n{n}.com"), true))
                .collect(),
        ),
        (
            "longer ones",
            (0..500)
                .flat_map(|n| searched(n * 20, &format!("api.n{n}.example.org"), true))
                .collect(),
        ),
        (
            "hosts of the own network",
            (0..500)
                .flat_map(|n| searched(n * 20, &format!("node{n}.corp"), true))
                .collect(),
        ),
        (
            "names outside, behind the domain of the node",
            each(500, 20, |at, n| {
                unknown(at, &format!("n{n}.com.corp.example.com"))
            }),
        ),
        (
            "services that exist",
            each(500, 20, |at, n| {
                known(at, &format!("s{n}.default.svc.cluster.local"))
            }),
        ),
        (
            "services without an address of that type",
            each(500, 20, |at, n| {
                let name = format!("s{n}.default.svc.cluster.local");
                exchange(at, &name, 28, &empty(&name, 28, NO_ERROR))
            }),
        ),
        (
            "replicas that are not there yet",
            each(500, 20, |at, n| {
                unknown(at, &format!("db-{n}.db.default.svc.cluster.local"))
            }),
        ),
        (
            "visitors from everywhere",
            each(500, 20, |at, n| {
                unknown(at, &format!("{}.{}.7.203.in-addr.arpa", n % 50, n / 50))
            }),
        ),
        (
            "a block list",
            each(500, 20, |at, n| {
                unknown(at, &format!("{n}.2.0.192.zen.example.org"))
            }),
        ),
    ];
    for (shape, samples) in shapes {
        assert_eq!(found(samples), [], "{shape}");
    }
}

#[test]
fn what_clients_ask_a_name_server_is_not_its_own() {
    let asked = each(200, 10, |at, n| {
        unknown(at, &format!("s{n}.default.svc.cluster.local")).map(|sample| {
            serving(Sample {
                sent: !sample.sent,
                ..sample
            })
        })
    });
    assert_eq!(found(asked), []);
}
