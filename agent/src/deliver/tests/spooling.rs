//! The publisher and the spool together: epochs, gaps, and how much is on its way.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use api::{
    retry,
    v1::{self, publish_request::Item},
};

use super::{super::Place, bench::Bench, event, sequence_of, soon};

/// Waits until all is on the disk, and stops the agent without a word to the collector.
async fn kill(bench: Bench) -> Arc<tempfile::TempDir> {
    assert!(soon(bench.outbox.flushed()).await);
    bench.publisher.abort();
    let directory = Arc::clone(&bench.directory);
    while !bench.publisher.is_finished() {
        tokio::task::yield_now().await;
    }
    drop(bench);
    directory
}

#[tokio::test]
async fn what_agents_before_left_behind_goes_first_each_epoch_over_its_stream() {
    let bench = Bench::new();
    bench.raise(1..=3);
    let directory = kill(bench).await;
    let bench = Bench::start(directory, 8);
    bench.raise(1..=2);
    let directory = kill(bench).await;
    let bench = Bench::start(directory, 9);
    assert_eq!(bench.outbox.newest_epoch(), 8);
    assert_eq!(bench.outbox.pending(), 5);
    bench.raise(1..=1);

    let mut collector = bench.collector(None).await;
    // Event 1 of the first was committed, and its acknowledgement got lost.
    let mut connection = collector.welcome_epoch(7, 1).await;
    let batch = connection.batch().await;
    assert_eq!(batch.after, 1);
    let sequences: Vec<_> = batch.events.iter().map(sequence_of).collect();
    assert_eq!(sequences, [2, 3]);
    assert!(
        batch
            .events
            .iter()
            .all(|event| event.durability() == v1::Durability::Durable)
    );
    connection.acknowledge(3).await;
    connection.closed().await;
    for (epoch, expected) in [(8, vec![1, 2]), (9, vec![1])] {
        let mut connection = collector.welcome_epoch(epoch, 0).await;
        assert_eq!(connection.events(expected.len()).await, expected);
        connection.acknowledge(expected.len() as u64).await;
        if epoch == 8 {
            connection.closed().await;
        } else {
            soon(bench.outbox.drained()).await;
            // The stream of this agent stays.
            bench.raise(2..=2);
            assert_eq!(connection.events(1).await, [2]);
        }
    }
}

#[tokio::test]
async fn without_a_spool_events_are_volatile_and_delivered_all_the_same() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let bench = Bench::spooling(directory, 7, Place::Nowhere);
    bench.raise(1..=600);
    assert!(!bench.outbox.flushed().await);
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    let mut sequences = Vec::new();
    while sequences.len() < 600 {
        let batch = connection.batch().await;
        let volatile = |event: &v1::Event| event.durability() == v1::Durability::Volatile;
        assert!(batch.events.iter().all(volatile));
        sequences.extend(batch.events.iter().map(sequence_of));
    }
    assert_eq!(sequences, Vec::from_iter(1..=600));
    connection.acknowledge(600).await;
    soon(bench.outbox.drained()).await;
}

#[tokio::test]
async fn what_there_was_no_room_for_is_told_as_one_gap_among_the_events() {
    let bench = Bench::new();
    for sequence in 1..=3000 {
        let severity = if sequence % 3 == 0 {
            v1::Severity::High
        } else {
            v1::Severity::Low
        };
        bench.outbox.raise(v1::Event {
            severity: severity.into(),
            summary: "a scan ".repeat(60),
            ..event(sequence)
        });
    }
    assert!(soon(bench.outbox.flushed()).await);
    assert!(bench.outbox.bytes() <= 1 << 20);
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    let (mut held, mut gaps) = (Vec::new(), Vec::new());
    let mut after = 0;
    while after < 3000 {
        let batch = connection.batch().await;
        assert_eq!(batch.after, after);
        held.extend(batch.events.iter().map(sequence_of));
        let ids = batch.gaps.iter().filter_map(|gap| gap.id.clone());
        after = held
            .last()
            .copied()
            .into_iter()
            .chain(ids.map(|id| id.sequence))
            .max()
            .unwrap();
        gaps.extend(batch.gaps);
        connection.acknowledge(after).await;
    }
    soon(bench.outbox.drained()).await;
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    assert_eq!(gap.events + held.len() as u64, 3000);
    let id = gap.id.clone().unwrap();
    assert_eq!((id.node.as_str(), id.epoch), ("n1", 7));
    assert!(!held.contains(&id.sequence) && !held.contains(&gap.last_sequence));
    assert_eq!(gap.node, "n1");
    assert!(held.iter().filter(|sequence| *sequence % 3 == 0).count() == 1000);
}

#[tokio::test]
async fn at_most_sixteen_batches_are_on_their_way() {
    let bench = Bench::new();
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    for sequence in 1..=16 {
        bench.raise(sequence..=sequence);
        assert_eq!(connection.events(1).await, [sequence]);
    }
    bench.raise(17..=20);
    // A status goes up each second, whatever else does.
    for _ in 0..2 {
        let request = connection.request().await;
        assert!(matches!(request, Item::Status(_)), "{request:?}");
    }
    connection.acknowledge(1).await;
    assert_eq!(connection.events(4).await, [17, 18, 19, 20]);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it is about time")]
async fn a_collector_that_is_short_is_left_alone_for_as_long_as_it_asks() {
    let bench = Bench::new();
    bench.raise(1..=1);
    let delay = Duration::from_millis(700);
    let refusal = retry::after(delay, "the disk is full");
    let mut collector = bench.collector(Some(refusal)).await;
    collector.connection().await;
    let first = Instant::now();
    collector.connection().await;
    assert!(first.elapsed() >= delay);
}
