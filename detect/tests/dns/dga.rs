//! Domains that nobody registered.

use std::time::Duration;

use detect::{Measure, Sample, Severity, State};

use crate::wire::{
    A, REFUSED, SERVER, datagram, denial, empty, exchange, find, known, opened, serving, unknown,
};

/// The messages of the `n`th turn.
type Shape = fn(u64) -> Vec<Sample>;

const TOPS: [&str; 5] = ["com", "net", "biz", "co.uk", "top"];

fn generated(n: u64) -> String {
    format!("q{n}xkvbz.{}", TOPS[n as usize % TOPS.len()])
}

fn generator(count: u64, every_ms: u64) -> impl Iterator<Item = Sample> {
    (0..count).flat_map(move |n| unknown(n * every_ms, &generated(n)))
}

#[test]
fn it_opens_at_the_twenty_fifth_domain_of_a_minute() {
    assert_eq!(find("dga", generator(24, 1000), 1000), []);
    let found = find("dga", generator(25, 1000), 61_000);
    assert_eq!(opened(&found), [(Severity::High, 25)]);
    let [opened, .., closed] = &found[..] else {
        panic!("opened and closed: {found:?}");
    };
    assert_eq!(opened.crossed.measure, Measure::UnknownDomains);
    assert_eq!(opened.attack_ids, ["T1568.002"]);
    assert_eq!(opened.targets[0].address, SERVER);
    assert!(opened.samples.contains(&"q13xkvbz.co.uk".to_owned()));
    assert_eq!(closed.state, State::Closed);
}

#[test]
fn it_opens_at_the_hundredth_domain_of_an_hour() {
    assert_eq!(find("dga", generator(99, 30_000), 1000), []);
    assert_eq!(
        opened(&find("dga", generator(100, 30_000), 1000)),
        [(Severity::High, 100)]
    );
}

#[test]
fn what_is_no_domain_of_its_own_does_not_count() {
    let shapes: [(&str, Shape); 8] = [
        ("many names of one domain", |n| {
            unknown(n, &format!("n{n}.example.com")).into()
        }),
        ("search suffixes of a cluster", |n| {
            let suffixes = [
                "default.svc.cluster.local",
                "svc.cluster.local",
                "cluster.local",
            ];
            let name = format!("n{n}.com.{}", suffixes[n as usize % 3]);
            unknown(n, &name).into()
        }),
        ("services of a zone of its own", |n| {
            unknown(n, &format!("a.b.svc.n{n}.com")).into()
        }),
        ("names without a public suffix", |n| {
            unknown(n, &format!("n{n}.lan")).into()
        }),
        ("short names", |n| unknown(n, &format!("n{n}")).into()),
        ("addresses", |n| {
            unknown(n, &format!("{n}.0.0.10.in-addr.arpa")).into()
        }),
        ("errors of the server", |n| {
            let name = generated(n);
            exchange(n, &name, A, &empty(&name, A, REFUSED)).into()
        }),
        ("missing names of domains that exist", |n| {
            let name = format!("_dmarc.{}", generated(n));
            exchange(n, &name, A, &denial(&name, 1)).into()
        }),
    ];
    for (shape, samples) in shapes {
        let found = find("dga", (0..200).flat_map(|n| samples(n * 10)), 1000);
        assert_eq!(found, [], "{shape}");
    }
    let denied = (0..25).flat_map(|n| {
        let name = generated(n * TOPS.len() as u64);
        exchange(n, &name, A, &denial(&name, 1))
    });
    assert_eq!(
        opened(&find("dga", denied, 1000)).len(),
        1,
        "denied by the suffix"
    );
}

#[test]
fn answers_to_what_the_pod_did_not_ask_accuse_nobody() {
    let forged = generator(60, 100).filter(|sample| !sample.sent);
    assert_eq!(find("dga", forged, 1000), []);
    let late = |seconds| {
        generator(60, 100).map(move |sample| match sample.sent {
            true => sample,
            false => Sample {
                at: sample.at + Duration::from_secs(seconds),
                ..sample
            },
        })
    };
    assert_eq!(opened(&find("dga", late(29), 1000)).len(), 1);
    assert_eq!(find("dga", late(31), 1000), []);
}

#[test]
fn dead_domains_among_as_many_that_live_do_not_count() {
    let crawler = |living: u64| {
        let lives = (0..living).flat_map(|n| known(n * 100, &format!("n{n}.org")));
        lives.chain(generator(40, 200))
    };
    assert_eq!(find("dga", crawler(40), 1000), []);
    assert_eq!(
        opened(&find("dga", crawler(39), 1000)),
        [(Severity::High, 40)]
    );
}

#[test]
fn what_a_name_server_asks_for_its_clients_does_not_count() {
    let served =
        unknown(0, "a.com").map(|sample| serving(datagram(0, !sample.sent, &sample.payload)));
    assert_eq!(
        find("dga", served.into_iter().chain(generator(60, 100)), 1000),
        []
    );
}
