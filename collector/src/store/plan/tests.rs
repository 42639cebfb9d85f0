//! What is stored of batches that come again, come late, or follow what is missing.

use prometheus_client::registry::Registry;

use super::*;
use crate::correlate::{Metrics, Settings};

const EPOCH: u64 = 7;
const NOW: Timestamp = Timestamp {
    seconds: 1000,
    nanos: 0,
};

fn record(sequence: u64, seconds: i64) -> Record {
    let raised_at = Some(Timestamp { seconds, nanos: 0 });
    let id = Some(v1::EventId {
        node: "n1".into(),
        epoch: EPOCH,
        sequence,
    });
    Record::from(&v1::Event {
        id,
        raised_at,
        ..Default::default()
    })
}

fn append(after: u64, sequences: std::ops::RangeInclusive<u64>) -> Append {
    Append {
        node: "n1".into(),
        epoch: EPOCH,
        after,
        through: *sequences.end(),
        records: sequences.map(|sequence| record(sequence, 900)).collect(),
    }
}

fn planned(head: Head, held: Option<Held>, appends: &[Append]) -> Plan {
    let settings = Settings::default();
    let mut correlator = Correlator::new(settings, Metrics::new(&mut Registry::default()));
    let source = Source {
        node: "n1".into(),
        epoch: EPOCH,
    };
    plan(
        head,
        [(source, held)],
        appends,
        &[],
        false,
        &mut correlator,
        NOW,
    )
}

fn stored(plan: &Plan) -> Vec<(u64, u64)> {
    let rows = plan.changes.rows.iter();
    rows.map(|row| (row.cursor, row.sequence)).collect()
}

#[test]
fn what_the_log_holds_is_not_stored_again() {
    let head = Head {
        last: 100,
        agents: 3,
        ..Default::default()
    };
    let held = Some(Held { id: 2, sequence: 5 });
    let plan = planned(
        head,
        held,
        &[append(3, 4..=7), append(3, 4..=7), append(0, 1..=2)],
    );
    assert!(plan.results.iter().all(Result::is_ok));
    assert_eq!(stored(&plan), [(101, 6), (102, 7)]);
    assert_eq!((plan.counts.stored, plan.counts.duplicates), (2, 8));
    assert_eq!(plan.changes.head.last, 102);
    let [(_, held)] = &plan.changes.agents[..] else {
        panic!("{:?}", plan.changes.agents);
    };
    assert_eq!((held.id, held.sequence), (2, 7));
}

#[test]
fn what_follows_nothing_that_is_held_is_refused_with_all_behind_it() {
    let appends = [append(0, 1..=2), append(3, 4..=5), append(5, 6..=7)];
    let plan = planned(Head::default(), None, &appends);
    let refused: Vec<_> = plan.results.iter().map(Result::is_err).collect();
    assert_eq!(refused, [false, true, true]);
    assert_eq!(stored(&plan), [(1, 1), (2, 2)]);
    let [(_, held)] = &plan.changes.agents[..] else {
        panic!("{:?}", plan.changes.agents);
    };
    assert_eq!(
        (held.id, held.sequence),
        (1, 2),
        "a new agent is given an id"
    );
    assert_eq!(plan.changes.head.agents, 1);
}

#[test]
fn a_batch_of_which_nothing_is_taken_is_held_all_the_same() {
    let refused = Append {
        through: 3,
        records: Vec::new(),
        ..append(0, 1..=3)
    };
    let plan = planned(Head::default(), None, &[refused, append(3, 4..=4)]);
    assert!(plan.results.iter().all(Result::is_ok));
    assert_eq!(stored(&plan), [(1, 4)]);
}

#[test]
fn times_are_marked_now_and_then_and_a_wrong_clock_spoils_a_day_at_most() {
    let second = 1_000_000_000;
    let mut early = append(0, 1..=2);
    early.records[1] = record(2, 4_000_000_000);
    let first = planned(Head::default(), None, &[early]).changes;
    let mark = first.mark.unwrap();
    assert_eq!((mark.cursor, mark.committed_at), (2, 1000 * second));
    assert_eq!(mark.newest, 1000 * second + AHEAD);
    let held = Some(Held { id: 1, sequence: 2 });
    let next = planned(first.head, held, &[append(2, 3..=3)]).changes;
    assert!(next.mark.is_none(), "no time has passed");
    let long_ago = Head {
        marked_at: 990 * second,
        ..first.head
    };
    let marked = planned(long_ago, held, &[append(2, 3..=3)]).changes.mark;
    let marked = marked.unwrap();
    assert_eq!(
        (marked.cursor, marked.newest),
        (3, mark.newest),
        "it never goes back"
    );
}

#[test]
fn what_a_person_has_raised_is_numbered_like_what_the_collector_finds() {
    let settings = Settings::default();
    let mut correlator = Correlator::new(settings, Metrics::new(&mut Registry::default()));
    correlator.reset(9, 0);
    let head = Head {
        last: 40,
        ..Default::default()
    };
    let held = Some(Held { id: 3, sequence: 5 });
    let draft = v1::Event {
        detector: "triage".into(),
        ..Default::default()
    };
    let own = [(Source::collector(9), held)];
    let drafts = [draft.clone(), draft];
    let plan = plan(head, own, &[], &drafts, false, &mut correlator, NOW);
    let told = plan.raised.iter().map(|it| {
        let id = it.id.clone().unwrap();
        (it.cursor, id.node, id.epoch, id.sequence)
    });
    let told: Vec<_> = told.collect();
    let node = || "@collector".to_owned();
    assert_eq!(told, [(41, node(), 9, 6), (42, node(), 9, 7)]);
    assert_eq!(plan.raised[0].anomaly_id, "@collector/9/triage/6");
    assert_eq!(plan.raised[0].raised_at, Some(NOW));
    assert_eq!(stored(&plan), [(41, 6), (42, 7)]);
    assert_eq!(plan.counts.raised, 0, "nothing was correlated");
}
