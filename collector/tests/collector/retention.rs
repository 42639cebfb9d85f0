//! What is removed, and what those are told who ask for it.

use std::time::Duration;

use api::v1::{ListRequest, subscribe_request::From};
use collector::config::Retain;
use tonic::Code;

use crate::{
    engine::{Engine, on_each_engine},
    harness::{Collector, all, beginning, eventually, sequence},
};

on_each_engine! {
    the_oldest_go_when_all_have_more_bytes_than_are_kept,
    what_is_too_old_goes_and_its_agents_are_still_known,
}

async fn the_oldest_go_when_all_have_more_bytes_than_are_kept(engine: Engine) {
    const EVENTS: u64 = 3000;
    let retain = Retain {
        bytes: Some(20_000),
        age: None,
    };
    let collector = Collector::keeping(&engine, retain).await;
    let mut agent = collector.agent("n1").await;
    let mut overtaken = collector.subscribe(beginning(), all()).await;
    assert_eq!(overtaken.heartbeat().await, 0);
    for first in (1..=EVENTS).step_by(100) {
        agent.publish(first..first + 100).await;
    }
    let horizon = eventually("the removal", async || {
        let removed = "picket_collector_retention_removed_events_total";
        let horizon = collector.metric("picket_collector_horizon_cursor").await;
        let bytes = collector
            .metric("picket_collector_retention_removed_bytes_total")
            .await;
        assert!(collector.metric(removed).await >= horizon);
        (horizon > EVENTS - 200 && bytes > 0).then_some(horizon)
    })
    .await;
    assert!(horizon < EVENTS, "the last ones are kept: {horizon}");

    let mut client = collector.events().await;
    let mut list = async |after_cursor| {
        let request = ListRequest {
            after_cursor,
            page_size: 1000,
            ..Default::default()
        };
        client.list(request).await
    };
    let kept = list(0).await.unwrap().into_inner().events;
    assert!(kept.iter().map(sequence).eq(horizon + 1..=EVENTS));
    let resumed = list(horizon).await.unwrap().into_inner().events;
    assert_eq!(resumed, kept, "the horizon is no event that is missing");
    for gone in [1, horizon - 1] {
        let status = list(gone).await.unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange, "{status}");
        let earliest = (horizon + 1).to_string();
        assert!(status.message().contains(&earliest), "{status}");
        let resumed = collector.subscribe_to(From::AfterCursor(gone)).await;
        assert_eq!(resumed.err().map(|it| it.code()), Some(Code::OutOfRange));
    }

    // It is the same after a restart, and no cursor is given again.
    let collector = collector.restart().await;
    let mut agent = collector.agent("n1").await;
    assert_eq!(agent.welcome, EVENTS);
    agent.publish([EVENTS + 1]).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    let first = subscriber.event().await;
    assert_eq!((first.cursor, sequence(&first)), (horizon + 1, horizon + 1));
    collector.stop().await;
}

async fn what_is_too_old_goes_and_its_agents_are_still_known(engine: Engine) {
    let retain = Retain {
        age: Some(Duration::from_millis(1)),
        bytes: None,
    };
    let collector = Collector::keeping(&engine, retain).await;
    let mut agent = collector.agent("n1").await;
    agent.publish(1..=10).await;
    eventually("the removal", async || {
        let horizon = collector.metric("picket_collector_horizon_cursor").await;
        (horizon == 10).then_some(())
    })
    .await;
    assert_eq!(collector.agent("n1").await.welcome, 10);
    let mut subscriber = collector.subscribe(From::AfterCursor(10), all()).await;
    collector.agent("n1").await.publish([10, 11]).await;
    let event = subscriber.event().await;
    assert_eq!((event.cursor, sequence(&event)), (11, 11));
    collector.stop().await;
}
