//! How an anomaly grows, gets worse, closes, and is not opened again and again.

use detect::{Severity, State};

use crate::play::{Fate, Probe, find, probe};
use State::{Closed, Opened, Updated};

fn states(probes: &[Probe], until_ms: u64) -> Vec<(State, Severity)> {
    let found = find(probes, until_ms);
    found.iter().map(|it| (it.state, it.severity)).collect()
}

#[test]
fn a_hundred_hosts_make_it_high_in_one_update() {
    let probes: Vec<_> = (1..=254)
        .map(|n| probe(500 + u64::from(n) * 10, n, 80, Fate::Refuses(1)))
        .collect();
    assert_eq!(
        states(&probes, 300_000),
        [
            (Opened, Severity::Medium),
            (Updated, Severity::High),
            (Closed, Severity::High)
        ]
    );
    let found = find(&probes, 300_000);
    assert!(found.iter().all(|it| it.id == found[0].id));
    assert_eq!(found[2].counted, 254);
    assert_eq!(
        found[2].targets.len() as u64 + found[2].further_targets,
        254
    );
}

#[test]
fn who_retries_for_ever_has_one_anomaly() {
    // Twenty dead targets, each tried once a minute for an hour.
    let round = |round: u64| (1..=20).map(move |n| probe(round * 60_000, n, 9100, Fate::Drops));
    let probes: Vec<_> = (0..60).flat_map(round).collect();
    let expected = [(Opened, Severity::Medium), (Closed, Severity::Medium)];
    assert_eq!(states(&probes, 4_000_000), expected);
}

#[test]
fn a_sweep_after_the_end_is_another() {
    let sweep = |at_ms| (1..=20).map(move |n| probe(at_ms, n, 80, Fate::Refuses(1)));
    let probes: Vec<_> = sweep(1000).chain(sweep(600_000)).collect();
    let found = find(&probes, 1_000_000);
    let states: Vec<_> = found.iter().map(|it| it.state).collect();
    assert_eq!(states, [Opened, Closed, Opened, Closed]);
    assert_ne!(found[0].id, found[2].id);
}

#[test]
fn an_answer_takes_a_failure_back() {
    let mut probes: Vec<_> = (1..=15)
        .map(|n| probe(500, n, 80, Fate::Refuses(1)))
        .collect();
    probes.push(probe(500, 16, 80, Fate::Answers(5000)));
    probes.push(probe(20_000, 17, 80, Fate::Refuses(1)));
    let found = find(&probes, 30_000);
    assert_eq!(found.len(), 1, "the sixteenth was silent for three seconds");
    probes[15] = probe(500, 16, 80, Fate::Answers(1500));
    assert_eq!(find(&probes, 19_000), []);
}
