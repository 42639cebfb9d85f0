//! Full: what goes first, and what the gap says of it.

use std::collections::BTreeSet;

use api::v1::{
    self, Severity,
    Severity::{High, Info, Low, Medium},
    State,
};

use super::{
    bench::{Bench, LIMITS, sequence},
    power::Power,
};

fn fill(bench: &mut Bench, rounds: u64, severities: &[Severity]) {
    for _ in 0..rounds {
        for severity in severities {
            bench.raise(*severity, |_| ());
        }
        bench.store();
    }
}

#[test]
fn the_lowest_goes_first_and_one_gap_says_how_much() {
    let mut bench = Bench::new(Power::default());
    // Some 500 bytes each, and not room for all of the low ones.
    fill(&mut bench, 60, &[Low, Medium, Low, High]);
    assert!(bench.disk.bytes() as u64 <= LIMITS.capacity_bytes);
    bench.finish();
    bench.check(false);
    let [gap] = &bench.collector.gaps[&1][..] else {
        panic!("{:?}", bench.collector.gaps);
    };
    let [lost] = &gap.lost[..] else {
        panic!("{gap:?}")
    };
    assert_eq!(lost.severity(), Low);
    assert!((20..110).contains(&lost.events), "{gap:?}");
    assert_eq!(sequence(&gap.id), 1);
    let at = gap.first_raised_at.map(|at| at.seconds);
    assert_eq!(at, Some(1), "it was raised then");
    assert_eq!(
        gap.last_raised_at.map(|at| at.seconds),
        Some(gap.last_sequence as i64)
    );
}

#[test]
fn a_low_event_never_drives_out_a_higher_one() {
    let mut bench = Bench::new(Power::default());
    fill(&mut bench, 600, &[High]);
    let before = bench.keeper.tally().dropped;
    fill(&mut bench, 50, &[Info, Medium]);
    let dropped = bench.keeper.tally().dropped;
    assert!(before[3] > 0, "it is full");
    assert_eq!(dropped[3], before[3]);
    assert!(dropped[0] > 40 && dropped[2] > 0, "{dropped:?}");
    bench.finish();
    bench.check(false);
}

#[test]
fn updates_of_one_anomaly_are_merged_before_anything_goes() {
    let mut bench = Bench::new(Power::default());
    for round in 0..100 {
        bench.raise(Low, |event| {
            event.anomaly_id = format!("anomaly {}", round % 8);
            event.set_state(State::Updated);
        });
        bench.raise(Info, |_| ());
        bench.store();
    }
    let tally = bench.keeper.tally();
    assert_eq!(tally.dropped, [0; 4], "{tally:?}");
    assert!(tally.merged_updates > 20, "{tally:?}");
    bench.finish();
    bench.check(false);
    let kept: Vec<_> = bench.collector.events[&1]
        .iter()
        .filter(|event| event.state() == State::Updated)
        .map(|event| event.anomaly_id.clone())
        .collect();
    let latest: BTreeSet<_> = kept.iter().rev().take(8).collect();
    assert_eq!(latest.len(), 8, "the last of each");
    let [gap] = &bench.collector.gaps[&1][..] else {
        panic!("{:?}", bench.collector.gaps);
    };
    assert_eq!((gap.events, gap.merged_updates), (0, tally.merged_updates));
}

#[test]
fn what_may_have_been_sent_stays_and_another_gap_tells_of_the_next_outage() {
    let mut bench = Bench::new(Power::default());
    fill(&mut bench, 300, &[Low, Low]);
    bench.deliver(2, 2);
    let sent: Vec<_> = bench.collector.sequences(1);
    assert!(!sent.is_empty());
    // The answers got lost, and it fills up again.
    fill(&mut bench, 300, &[Low, Low]);
    let disk = bench.disk.cut(false);
    bench = bench.restart(disk);
    fill(&mut bench, 300, &[Low, Low]);
    bench.finish();
    bench.check(false);
    assert_eq!(
        bench.collector.gaps[&1].len(),
        2,
        "{:?}",
        bench.collector.gaps
    );
}

#[test]
fn events_say_whether_they_were_on_a_disk() {
    let disk = Power::default();
    let mut bench = Bench::new(disk.clone());
    fill(&mut bench, 3, &[Medium]);
    disk.fail();
    fill(&mut bench, 3, &[Medium]);
    assert!(bench.keeper.trouble().is_some());
    let status = bench.keeper.status(&bench.memory);
    assert_eq!(status.durability(), v1::Durability::Volatile);
    assert!(status.reason.contains("in the spool"), "{status:?}");
    // It is delivered all the same.
    bench.deliver(1, 0);
    assert_eq!(bench.collector.sequences(1), [1, 2, 3, 4, 5, 6]);
    fill(&mut bench, 3, &[Medium]);
    disk.mend();
    bench.store();
    bench.store_all();
    assert_eq!(bench.keeper.trouble(), None);
    fill(&mut bench, 3, &[Medium]);
    bench.finish();
    bench.check(false);
    let durable: Vec<_> = bench.collector.events[&1]
        .iter()
        .map(|event| event.durability() == v1::Durability::Durable)
        .collect();
    let expected = [[true; 3], [false; 3], [false; 3], [true; 3]].concat();
    assert_eq!(durable, expected);
}

#[test]
fn a_disk_that_fails_for_long_drops_the_lowest_from_memory() {
    let disk = Power::default();
    let mut bench = Bench::new(disk.clone());
    fill(&mut bench, 3, &[Medium]);
    disk.fill();
    fill(&mut bench, 100, &[Low, High]);
    disk.mend();
    bench.finish();
    bench.check(false);
    let gap = &bench.collector.gaps[&1][0];
    assert_eq!(gap.lost[0].severity(), Low);
}
