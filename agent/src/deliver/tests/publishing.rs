//! The publisher against an `Ingest` server that does what each test tells it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use api::v1::{self, publish_request::Item, publish_response::Item as Answer};
use tonic::Status;

use super::{bench::Bench, sequence_of, soon};

#[tokio::test]
async fn events_wait_for_a_collector_that_is_away_at_the_start() {
    let bench = Bench::new();
    bench.raise(1..=600);
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    assert_eq!(connection.events(600).await, Vec::from_iter(1..=600));
    assert_eq!(bench.outbox.pending(), 600, "none is safe yet");
    connection.acknowledge(600).await;
    soon(bench.outbox.drained()).await;
}

#[tokio::test]
async fn exactly_what_is_not_acknowledged_is_sent_again() {
    let bench = Bench::new();
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    bench.raise(1..=5);
    assert_eq!(connection.events(5).await, [1, 2, 3, 4, 5]);
    connection.acknowledge(2).await;
    drop(connection);

    // Event 3 was committed, and only its acknowledgement got lost.
    let mut connection = collector.welcome(3).await;
    assert_eq!(connection.events(2).await, [4, 5]);
    collector.stop().await;
    drop(connection);
    bench.raise(6..=6);

    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(3).await;
    assert_eq!(connection.events(3).await, [4, 5, 6]);
    connection.acknowledge(6).await;
    soon(bench.outbox.drained()).await;
}

#[tokio::test]
async fn what_was_spooled_under_another_name_is_this_nodes() {
    let bench = Bench::new();
    let mut misnamed = super::event(1);
    misnamed.id.get_or_insert_default().node = "n0".into();
    bench.outbox.raise(misnamed);
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    let batch = connection.batch().await;
    let id = batch.events[0].id.clone().unwrap();
    assert_eq!((id.node.as_str(), id.sequence), ("n1", 1));
}

#[tokio::test]
async fn each_event_leaves_without_waiting_for_acknowledgements_or_the_status() {
    let bench = Bench::new();
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    let mut statuses = 0;
    for sequence in 1..=16 {
        bench.raise(sequence..=sequence);
        loop {
            match connection.request().await {
                Item::Batch(batch) => {
                    let sequences: Vec<_> = batch.events.iter().map(sequence_of).collect();
                    assert_eq!(sequences, [sequence]);
                    break;
                }
                _ => statuses += 1,
            }
        }
    }
    // One goes up each second.
    assert!(statuses < 16, "each event took about a second");
}

#[tokio::test]
async fn the_status_goes_up_and_the_pods_come_down() {
    let mut bench = Bench::new();
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    bench.raise(1..=3);
    let status = loop {
        match connection.request().await {
            Item::Status(status) if status.events_pending == 3 => break status,
            _ => {}
        }
    };
    assert_eq!(status.attachment, "tcx");

    let pod = v1::Pod {
        namespace: "default".into(),
        name: "app1".into(),
        addresses: vec!["10.244.147.92".into()],
        ..v1::Pod::default()
    };
    let table = v1::PodTable {
        pods: vec![pod],
        more: false,
    };
    connection.answer(Answer::Pods(table)).await;
    soon(bench.pods.changed()).await.unwrap();
    let pods = bench.pods.borrow();
    let pod = pods.by_address("10.244.147.92".parse().unwrap()).unwrap();
    assert_eq!(pod.name, "app1");
}

#[tokio::test]
async fn an_event_refused_for_good_is_counted_and_not_sent_again() {
    let bench = Bench::new();
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    bench.raise(1..=2);
    connection.events(2).await;
    let acknowledgement = v1::Acknowledgement {
        sequence: 2,
        refusals: vec![v1::Refusal {
            sequence: 1,
            reason: "it names another node".into(),
        }],
    };
    connection
        .answer(Answer::Acknowledgement(acknowledgement))
        .await;
    soon(bench.outbox.drained()).await;
    assert_eq!(bench.outbox.metrics().refused.get(), 1);
}

#[tokio::test]
async fn a_publisher_that_is_stopped_delivers_the_rest_and_closes_the_stream() {
    let mut bench = Bench::new();
    bench.raise(1..=2);
    bench.stop.send_replace(true);
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    assert_eq!(connection.events(2).await, [1, 2]);
    assert!(!bench.publisher.is_finished(), "none is safe yet");
    connection.acknowledge(2).await;
    while let Some(request) = soon(connection.requests.message()).await.unwrap() {
        assert!(matches!(request.item, Some(Item::Status(_))), "{request:?}");
    }
    drop(connection);
    soon(&mut bench.publisher).await.unwrap();
}

#[tokio::test]
async fn a_publisher_with_nothing_to_deliver_stops_without_a_collector() {
    let mut bench = Bench::new();
    bench.stop.send_replace(true);
    soon(&mut bench.publisher).await.unwrap();
}

/// Collects the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn trouble_is_logged_once_and_says_what_to_do() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let bench = Bench::new();
    let failures = || bench.outbox.metrics().connection_failures.get();

    soon(async {
        while failures() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let refusal = Status::not_found("no pod names it");
    let mut collector = bench.collector(Some(refusal)).await;
    for _ in 0..3 {
        collector.connection().await;
    }
    collector.stop().await;
    let mut collector = bench.collector(None).await;
    collector.welcome(0).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let count = |what: &str| log.matches(what).count();
    assert_eq!(count("cannot connect to unix:"), 1, "{log}");
    let advice = "does not know node n1: no pod names it; name the node in the collector's pod \
                  table or correct --node";
    assert_eq!(count(advice), 1, "{log}");
}
