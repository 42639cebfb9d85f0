//! Subscribers: one delays no other, and each is told how far it is.

use std::ops::RangeInclusive;

use api::v1::{ListRequest, events_client::EventsClient, subscribe_request::From};
use tonic::Code;

use crate::{
    agent::Agent,
    engine::{Engine, on_each_engine},
    harness::{Collector, all, beginning, event, eventually, sequence},
    subscriber::Subscriber,
};

on_each_engine! {
    a_subscriber_that_does_not_read_delays_no_other,
    a_subscriber_that_does_not_read_holds_up_no_shutdown,
    a_page_of_large_events_fits_a_client_with_the_default_limit,
    seats_are_bounded_and_given_back,
    a_subscriber_of_now_sees_nothing_of_the_past,
    a_cursor_beyond_the_log_is_refused_with_the_last_one,
    a_silent_stream_has_a_heartbeat_at_the_cursor_it_has_reached,
    streams_end_with_the_collector_and_say_why,
    a_unix_socket_serves_the_same_log,
}

/// More than all buffers between the log and a client together.
const EVENTS: u64 = 400;
const EVENT_BYTES: usize = 50_000;

/// Publishes all, and calls for each batch.
async fn publish_large(agent: &mut Agent, mut published: impl AsyncFnMut(RangeInclusive<u64>)) {
    for first in (1..=EVENTS).step_by(50) {
        let batch = first..=first + 49;
        let large = |sequence| {
            let mut event = event("n1", sequence);
            event.samples = vec!["x".repeat(EVENT_BYTES / 16); 16];
            event
        };
        agent.send_batch(batch.clone().map(large).collect()).await;
        agent.acknowledged().await;
        published(batch).await;
    }
}

async fn a_subscriber_that_does_not_read_delays_no_other(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut stuck = collector.subscribe(beginning(), all()).await;
    let mut reader = collector.subscribe(beginning(), all()).await;
    let mut agent = collector.agent("n1").await;
    publish_large(&mut agent, async |batch| {
        for expected in batch {
            assert_eq!(sequence(&reader.event().await), expected);
        }
    })
    .await;
    let late = stuck.sequences(usize::try_from(EVENTS).unwrap()).await;
    assert!(late.iter().copied().eq(1..=EVENTS), "{late:?}");
    collector.stop().await;
}

async fn a_subscriber_that_does_not_read_holds_up_no_shutdown(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let stuck = collector.subscribe(beginning(), all()).await;
    publish_large(&mut collector.agent("n1").await, async |_| {}).await;
    let collector = collector.restart().await;
    drop(stuck);
    let mut reader = collector.subscribe(beginning(), all()).await;
    let kept = reader.sequences(usize::try_from(EVENTS).unwrap()).await;
    assert!(kept.iter().copied().eq(1..=EVENTS), "{kept:?}");
    collector.stop().await;
}

async fn a_page_of_large_events_fits_a_client_with_the_default_limit(engine: Engine) {
    let collector = Collector::start(&engine).await;
    publish_large(&mut collector.agent("n1").await, async |_| {}).await;
    let mut client = collector.events().await;
    let mut request = ListRequest {
        page_size: 1000,
        ..Default::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = client.list(request.clone()).await.unwrap().into_inner();
        seen.extend(page.events.iter().map(sequence));
        if !page.more {
            break;
        }
        request.after_cursor = page.next_cursor;
    }
    assert!(seen.iter().copied().eq(1..=EVENTS), "{seen:?}");
    collector.stop().await;
}

async fn seats_are_bounded_and_given_back(engine: Engine) {
    let collector = Collector::start(&engine).await;
    // A connection carries fewer streams than there are seats.
    let clients = [collector.events().await, collector.events().await];
    let mut subscribers = Vec::new();
    for seat in 0..256 {
        let client = clients[seat % 2].clone();
        subscribers.push(
            Subscriber::open(client, From::Now(true), all())
                .await
                .unwrap(),
        );
    }
    let another = async || {
        let client = clients[0].clone();
        Subscriber::open(client, From::Now(true), all()).await
    };
    let refused = another().await.err().expect("all seats are taken");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("256"), "{refused}");
    let page = collector.page("/metrics").await;
    let counted = "picket_collector_refused_subscribers_total 1";
    assert!(page.lines().any(|line| line == counted), "{page}");

    subscribers.pop();
    eventually("a free seat", async || another().await.ok()).await;
    collector.stop().await;
}

async fn a_subscriber_of_now_sees_nothing_of_the_past(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    agent.publish([1, 2]).await;
    let mut subscriber = collector.subscribe(From::Now(true), all()).await;
    assert_eq!(subscriber.heartbeat().await, 2);
    agent.publish([3]).await;
    assert_eq!(subscriber.sequences(1).await, [3]);
    collector.stop().await;
}

async fn a_cursor_beyond_the_log_is_refused_with_the_last_one(engine: Engine) {
    let collector = Collector::start(&engine).await;
    collector.agent("n1").await.publish([1, 2, 3]).await;
    let client = collector.events().await;
    let status = Subscriber::open(client, From::AfterCursor(4), all())
        .await
        .err();
    let status = status.expect("4 lies beyond");
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().contains("last cursor is 3"), "{status}");

    let mut subscriber = collector.subscribe(From::AfterCursor(3), all()).await;
    assert_eq!(subscriber.heartbeat().await, 3);
    collector.stop().await;
}

async fn a_silent_stream_has_a_heartbeat_at_the_cursor_it_has_reached(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    let nothing = api::v1::Filter {
        nodes: vec!["n2".into()],
        ..all()
    };
    let mut subscriber = collector.subscribe(beginning(), nothing).await;
    assert_eq!(subscriber.heartbeat().await, 0);
    agent.publish([1, 2]).await;
    assert_eq!(
        subscriber.heartbeat().await,
        2,
        "looked at, though not sent"
    );
    collector.stop().await;
}

async fn streams_end_with_the_collector_and_say_why(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    agent.publish([1]).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    assert_eq!(subscriber.sequences(1).await, [1]);
    collector.stop().await;

    let status = subscriber.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("after cursor 1"), "{status}");
    let status = agent.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("shutting down"), "{status}");
}

async fn a_unix_socket_serves_the_same_log(engine: Engine) {
    let collector = Collector::start(&engine).await;
    collector.agent("n1").await.publish([1]).await;
    let remote: api::transport::Remote = collector.unix().parse().unwrap();
    let client = EventsClient::new(remote.connect().await.unwrap());
    let mut subscriber = Subscriber::open(client, beginning(), all()).await.unwrap();
    assert_eq!(subscriber.sequences(1).await, [1]);
    collector.stop().await;
}
