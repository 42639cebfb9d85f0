//! What goes to the port of DNS and is none.

use detect::{Measure, Sample, Severity, State};

use crate::wire::{A, answer, datagram, find, query, serving, stream};

const TEXT: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn garbage(count: u64, every_ms: u64) -> impl Iterator<Item = Sample> {
    (0..count).map(move |n| datagram(n * every_ms, true, TEXT))
}

fn worst(samples: impl IntoIterator<Item = Sample>) -> Option<Severity> {
    let found = find("malformed_dns", samples, 1000);
    found.into_iter().map(|it| it.severity).max()
}

#[test]
fn one_is_told_and_several_are_worth_a_look() {
    assert_eq!(worst(garbage(1, 0)), Some(Severity::Info));
    assert_eq!(worst(garbage(3, 100)), Some(Severity::Info));
    assert_eq!(worst(garbage(4, 100)), Some(Severity::Medium));
    assert_eq!(
        worst(garbage(8, 25_000)),
        Some(Severity::Info),
        "three a minute"
    );
    let found = find("malformed_dns", garbage(4, 100), 61_000);
    assert_eq!(found[0].crossed.measure, Measure::MalformedMessages);
    assert_eq!(found[0].samples, [r"GET / HTTP/1.1\r\nHost: a\r"]);
    assert_eq!(found[0].attack_ids, ["T1071.004", "T1095"]);
    assert_eq!(
        found.last().map(|it| (it.state, it.counted)),
        Some((State::Closed, 4))
    );
}

#[test]
fn connections_and_own_servers_count_too() {
    let many = |sample: fn(u64) -> Sample| (0..4).map(sample);
    assert_eq!(
        worst(many(|at| stream(at, true, b"SSH-2.0-OpenSSH_9.7\r\n"))),
        Some(Severity::Medium)
    );
    assert_eq!(
        worst(many(|at| serving(datagram(at, true, TEXT)))),
        Some(Severity::Medium)
    );
}

#[test]
fn what_is_dns_or_comes_from_others_does_not_count() {
    let long = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz".to_owned() + ".";
    let shapes: [(&str, Sample); 6] = [
        ("a query", datagram(0, true, &query("example.com", A))),
        ("one over TCP", stream(0, true, &query("example.com", A))),
        (
            "one that is cut",
            datagram(0, true, &query(&long.repeat(4), A)),
        ),
        (
            "a long answer",
            serving(datagram(0, true, &answer("example.com", 16, 900))),
        ),
        ("what a server sent", datagram(0, false, TEXT)),
        ("what a client sent", serving(datagram(0, false, TEXT))),
    ];
    for (shape, sample) in shapes {
        let samples = vec![sample; 20];
        assert_eq!(find("malformed_dns", samples, 1000), [], "{shape}");
    }
}
