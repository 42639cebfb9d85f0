//! Shapes of everyday traffic that must raise nothing.

use crate::replay::{Fate, Probe, find, peer, probe};

const ANSWERS: Fate = Fate::Answers(1);

#[test]
fn everyday_traffic_raises_nothing() {
    let shapes: [(&str, Vec<Probe>); 5] = [
        (
            "10,000 connections to one port",
            (0..10_000)
                .map(|n| probe(n * 3, peer(1), 443, ANSWERS))
                .collect(),
        ),
        (
            "10,000 connections refused by one port",
            (0..10_000)
                .map(|n| probe(n * 3, peer(1), 443, Fate::Refuses(1)))
                .collect(),
        ),
        (
            "60 services on 8 ports, all answered",
            (0..480_u32)
                .map(|n| {
                    probe(
                        u64::from(n) * 50,
                        peer(n % 60),
                        8000 + (n / 60) as u16,
                        ANSWERS,
                    )
                })
                .collect(),
        ),
        (
            "a retry storm to one dead port on 50 hosts",
            (0..5000_u32)
                .map(|n| probe(u64::from(n) * 6, peer(n % 50), 9125, Fate::Drops))
                .collect(),
        ),
        (
            "nine dead ports of each of 50 hosts, tried for an hour",
            (0..9 * 50 * 12_u32)
                .map(|n| {
                    let port = 7000 + (n / 50 % 9) as u16;
                    probe(u64::from(n) * 660, peer(n % 50), port, Fate::Drops)
                })
                .collect(),
        ),
    ];
    for (shape, probes) in shapes {
        let until = probes.iter().map(|probe| probe.at_ms).max().unwrap() + 10_000;
        assert_eq!(find(&probes, until), [], "{shape}");
    }
}
