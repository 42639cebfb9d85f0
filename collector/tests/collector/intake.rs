//! Who may publish, and what.

use api::v1::{self, publish_request::Item};
use tonic::Code;

use crate::{
    agent::Agent,
    engine::{Engine, on_each_engine},
    harness::{Collector, EPOCH, all, beginning, event, gap, sequence},
};

on_each_engine! {
    an_unknown_node_is_told_what_to_do,
    a_node_is_sent_its_pods_and_its_events_are_named,
    a_bad_event_is_refused_and_the_rest_of_its_batch_is_taken,
    a_stream_that_breaks_the_rules_ends_with_the_reason,
    batches_sent_without_waiting_are_acknowledged_in_order,
}

const PODS: &str = "
nodes: [n1, n2]
pods:
- {namespace: default, name: app1, uid: u1, node: n1, addresses: [10.244.147.92]}
- {namespace: blue, name: app2, node: n2, addresses: [10.244.147.93]}
";

async fn an_unknown_node_is_told_what_to_do(engine: Engine) {
    let collector = Collector::with_pods(&engine, PODS).await;
    let status = Agent::connect(collector.channel().await, "n3").await.err();
    let status = status.expect("n3 is unknown");
    assert_eq!(status.code(), Code::NotFound);
    for words in ["`n3`", "pod table", "--node"] {
        assert!(status.message().contains(words), "{status}");
    }
    collector.stop().await;
}

async fn a_node_is_sent_its_pods_and_its_events_are_named(engine: Engine) {
    let collector = Collector::with_pods(&engine, PODS).await;
    let mut agent = collector.agent("n1").await;
    let names: Vec<_> = agent
        .pods
        .pods
        .iter()
        .map(|pod| pod.name.as_str())
        .collect();
    assert_eq!(names, ["app1"]);
    let mut unknown = event("n1", 2);
    unknown.source.get_or_insert_default().address = "10.0.0.1".into();
    agent.send_batch(vec![event("n1", 1), unknown]).await;
    agent.acknowledged().await;

    let mut subscriber = collector.subscribe(beginning(), all()).await;
    let named = subscriber.event().await;
    let summary = "default/app1 (10.244.147.92) scanned blue/app2 (10.244.147.93): ";
    assert!(named.summary.starts_with(summary), "{}", named.summary);
    assert_eq!(named.source.unwrap().uid, "u1");
    let unnamed = subscriber.event().await.source.unwrap();
    assert_eq!((unnamed.namespace.as_str(), unnamed.pod.as_str()), ("", ""));
    collector.stop().await;
}

async fn a_bad_event_is_refused_and_the_rest_of_its_batch_is_taken(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    let mut stateless = event("n1", 2);
    stateless.state = 0;
    let events = vec![event("n1", 1), stateless, event("n1", 3), event("n2", 99)];
    agent.send_batch(events).await;

    let acknowledgement = agent.acknowledged().await;
    assert_eq!(
        acknowledgement.sequence, 3,
        "another node's sequence is not ours"
    );
    let refusals: Vec<_> = acknowledgement
        .refusals
        .iter()
        .map(|refusal| (refusal.sequence, refusal.reason.as_str()))
        .collect();
    let [(2, "it has no state"), (99, reason)] = refusals[..] else {
        panic!("{refusals:?}");
    };
    assert!(reason.contains("`n2`"), "{reason}");

    agent.publish([4]).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    assert_eq!(subscriber.sequences(3).await, [1, 3, 4]);
    collector.stop().await;
}

async fn a_stream_that_breaks_the_rules_ends_with_the_reason(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let hello = |node: &str, epoch| {
        Item::Hello(v1::Hello {
            node: node.into(),
            epoch,
            version: String::new(),
            ..Default::default()
        })
    };
    let long = Item::Hello(v1::Hello {
        node: "n1".into(),
        epoch: EPOCH,
        version: "1".repeat(65),
        ..Default::default()
    });
    for (first, expected) in [
        (long, "version"),
        (Item::Batch(v1::Batch::default()), "must be a hello"),
        (hello("", EPOCH), "names no node"),
        (hello("n1", 0), "epoch"),
        (hello("n1", u64::MAX), "epoch"),
    ] {
        let status = Agent::open(collector.channel().await, first).await.err();
        let status = status.expect(expected);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(expected), "{status}");
    }

    let too_many: Vec<_> = (1..=257).map(|it| event("n1", it)).collect();
    let batch = |events, gaps, after| {
        Item::Batch(v1::Batch {
            events,
            gaps,
            after,
        })
    };
    let descending = vec![event("n1", 2), event("n1", 1)];
    for (item, expected) in [
        (hello("n1", EPOCH), "hello once"),
        (
            batch(too_many, Vec::new(), 0),
            "257 events and gaps is too large",
        ),
        (
            batch(descending, Vec::new(), 0),
            "sequence 1 does not follow 2",
        ),
        (
            batch(vec![event("n1", 5)], vec![gap("n1", 5, 9)], 0),
            "sequence 5 does not follow 5",
        ),
        (
            batch(vec![event("n1", 5)], Vec::new(), 5),
            "sequence 5 does not follow 5",
        ),
    ] {
        let mut agent = collector.agent("n1").await;
        agent.send(item).await;
        let status = agent.next().await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(expected), "{status}");
    }
    collector.stop().await;
}

async fn batches_sent_without_waiting_are_acknowledged_in_order(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    for batch in 0..50 {
        let events = (1..=10).map(|it| event("n1", batch * 10 + it)).collect();
        agent.send_batch(events).await;
    }
    for batch in 1..=50 {
        assert_eq!(agent.acknowledged().await.sequence, batch * 10);
    }
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    for expected in 1..=500 {
        let event = subscriber.event().await;
        assert_eq!((event.cursor, sequence(&event)), (expected, expected));
    }
    collector.stop().await;
}
