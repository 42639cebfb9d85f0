//! What is acknowledged is in the log: once, in order, and for good.

use api::v1::{
    self, Batch, EventId, Filter, GetRequest, ListRequest, ListResponse, State, SubscribeRequest,
    Timestamp, events_client::EventsClient, publish_request, subscribe_request::From,
    subscribe_response::Item,
};
use tonic::{Code, Status, transport::Channel};

use crate::{
    engine::{Engine, on_each_engine},
    harness::{Collector, EPOCH, all, beginning, event, gap, sequence},
};

on_each_engine! {
    an_event_is_readable_as_soon_as_it_is_acknowledged,
    an_event_sent_again_is_acknowledged_again_and_stored_once,
    a_subscriber_resumes_where_it_left_across_a_restart,
    a_gap_lies_where_the_events_were_lost,
    pages_hold_all_matching_events_once_and_in_order,
    a_filter_holds_for_past_and_new_events_alike,
    a_log_that_takes_no_events_makes_the_collector_unready_until_it_does,
    what_is_not_in_the_log_is_said_to_be_missing,
    a_damaged_row_is_a_gap_and_hides_nothing_behind_it,
    a_cursor_of_another_log_is_refused,
}

async fn list(client: &mut EventsClient<Channel>, request: ListRequest) -> ListResponse {
    client.list(request).await.unwrap().into_inner()
}

fn sequences(response: &ListResponse) -> Vec<u64> {
    response.events.iter().map(sequence).collect()
}

async fn an_event_is_readable_as_soon_as_it_is_acknowledged(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut subscriber = collector.subscribe(From::Now(true), all()).await;
    assert_eq!(subscriber.heartbeat().await, 0);
    collector.agent("n1").await.publish([1]).await;

    let live = subscriber.event().await;
    assert_eq!((live.cursor, sequence(&live)), (1, 1));
    let mut client = collector.events().await;
    let page = list(&mut client, ListRequest::default()).await;
    assert_eq!(page.events, std::slice::from_ref(&live));
    let id = live.id.clone();
    assert_eq!(
        client.get(GetRequest { id }).await.unwrap().into_inner(),
        live
    );
    collector.stop().await;
}

async fn an_event_sent_again_is_acknowledged_again_and_stored_once(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    agent.publish([1, 2]).await;
    agent.publish([2, 3]).await;
    let mut again = collector.agent("n1").await;
    assert_eq!(again.welcome, 3);
    again.publish([1, 2, 3, 4]).await;
    // The same sequences of another node are other events.
    collector.agent("n2").await.publish([1]).await;

    let mut subscriber = collector.subscribe(beginning(), all()).await;
    for expected in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 1)] {
        let event = subscriber.event().await;
        assert_eq!((event.cursor, sequence(&event)), expected);
    }
    collector.stop().await;
}

async fn a_subscriber_resumes_where_it_left_across_a_restart(engine: Engine) {
    let collector = Collector::start(&engine).await;
    collector.agent("n1").await.publish(1..=100).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    let mut seen = subscriber.sequences(39).await;
    let last = subscriber.event().await;
    seen.push(sequence(&last));

    let collector = collector.restart().await;
    let mut agent = collector.agent("n1").await;
    assert_eq!(agent.welcome, 100);
    agent.publish(90..=120).await;
    let mut subscriber = collector
        .subscribe(From::AfterCursor(last.cursor), all())
        .await;
    seen.extend(subscriber.sequences(80).await);
    assert!(seen.iter().copied().eq(1..=120), "{seen:?}");
    collector.stop().await;
}

async fn a_gap_lies_where_the_events_were_lost(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    agent.publish([1]).await;
    let batch = Batch {
        events: vec![event("n1", 9)],
        gaps: vec![gap("n1", 2, 8)],
        after: 1,
    };
    agent
        .send(publish_request::Item::Batch(batch.clone()))
        .await;
    assert_eq!(agent.acknowledged().await.sequence, 9);

    let mut subscriber = collector.subscribe(beginning(), all()).await;
    assert_eq!(subscriber.sequences(1).await, [1]);
    let Item::Gap(gap) = subscriber.entry().await else {
        panic!("no gap after the first event");
    };
    let expected = v1::Gap {
        node: "n1".into(),
        cursor: 2,
        ..batch.gaps[0].clone()
    };
    assert_eq!(gap, expected);
    assert_eq!(subscriber.sequences(1).await, [9]);

    // It is stored once, like an event.
    agent.send(publish_request::Item::Batch(batch)).await;
    assert_eq!(agent.acknowledged().await.sequence, 9);

    // Another node's subscriber lost nothing; what else was asked for may be among the lost.
    collector.agent("n2").await.publish([1]).await;
    for (filter, gap) in [
        (
            Filter {
                nodes: vec!["n2".into()],
                ..all()
            },
            false,
        ),
        (
            Filter {
                states: vec![State::Opened.into()],
                ..all()
            },
            true,
        ),
    ] {
        let mut subscriber = collector.subscribe(beginning(), filter.clone()).await;
        let mut gaps = 0;
        loop {
            match subscriber.entry().await {
                Item::Gap(_) => gaps += 1,
                Item::Event(event) if event.cursor == 4 => break,
                _ => {}
            }
        }
        assert_eq!(gaps > 0, gap, "{filter:?}");
    }
    collector.stop().await;
}

async fn pages_hold_all_matching_events_once_and_in_order(engine: Engine) {
    let collector = Collector::start(&engine).await;
    collector.agent("n1").await.publish(1..=250).await;
    collector.agent("n2").await.publish(1..=3).await;
    let mut client = collector.events().await;

    let mut request = ListRequest {
        filter: Some(Filter {
            nodes: vec!["n1".into()],
            ..all()
        }),
        ..Default::default()
    };
    let mut sizes = Vec::new();
    let mut seen = Vec::new();
    loop {
        let page = list(&mut client, request.clone()).await;
        sizes.push(page.events.len());
        seen.extend(sequences(&page));
        request.after_cursor = page.next_cursor;
        if !page.more {
            break;
        }
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert!(seen.iter().copied().eq(1..=250));
    assert_eq!(request.after_cursor, 253, "all of the log was looked at");

    request.page_size = 1001;
    let status = client.list(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("1000"), "{status}");
    collector.stop().await;
}

async fn a_filter_holds_for_past_and_new_events_alike(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    let mut subscribers = Vec::new();
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let cases = [
        (
            Filter {
                since: at(1_700_000_003),
                ..all()
            },
            vec![3, 4],
        ),
        (
            Filter {
                since: at(1_800_000_000),
                ..all()
            },
            vec![],
        ),
        (
            Filter {
                states: vec![State::Closed.into()],
                ..all()
            },
            vec![2],
        ),
        (
            Filter {
                detectors: vec!["port_scan".into()],
                ..all()
            },
            vec![1, 2, 3, 4],
        ),
        (
            Filter {
                pods: vec!["app1".into()],
                ..all()
            },
            vec![],
        ),
    ];
    for (filter, _) in &cases {
        subscribers.push(collector.subscribe(From::Now(true), filter.clone()).await);
    }
    let mut closed = event("n1", 2);
    closed.state = State::Closed.into();
    let events = vec![event("n1", 1), closed, event("n1", 3), event("n1", 4)];
    agent.send_batch(events).await;
    assert_eq!(agent.acknowledged().await.sequence, 4);

    let mut client = collector.events().await;
    for ((filter, expected), mut live) in cases.into_iter().zip(subscribers) {
        let request = ListRequest {
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let page = list(&mut client, request).await;
        assert_eq!(sequences(&page), expected, "{filter:?}");
        assert_eq!(live.sequences(expected.len()).await, expected, "{filter:?}");
    }
    collector.stop().await;
}

async fn a_log_that_takes_no_events_makes_the_collector_unready_until_it_does(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let other = collector.other().await;
    other.lock().await;
    let mut agent = collector.agent("n1").await;
    agent.send_batch(vec![event("n1", 1)]).await;
    let status = agent.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");

    let page = collector.page("/readyz").await;
    assert!(page.starts_with("HTTP/1.1 503"), "{page}");
    assert!(page.contains("cannot write to the database"), "{page}");
    assert!(page.contains("lock"), "{page}");

    other.unlock().await;
    let page = collector.page("/readyz").await;
    assert!(page.starts_with("HTTP/1.1 200"), "no event came: {page}");
    collector.stop().await;
}

async fn what_is_not_in_the_log_is_said_to_be_missing(engine: Engine) {
    let collector = Collector::start(&engine).await;
    collector.agent("n1").await.publish([1, 2]).await;
    let mut client = collector.events().await;
    let id = EventId {
        node: "n1".into(),
        epoch: EPOCH,
        sequence: 3,
    };
    let status = client.get(GetRequest { id: Some(id) }).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("`n1`"), "{status}");
    let status = client.get(GetRequest { id: None }).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);

    for beyond in [3, u64::MAX] {
        let status = client
            .list(ListRequest {
                after_cursor: beyond,
                ..Default::default()
            })
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange);
        assert!(status.message().contains("last cursor is 2"), "{status}");
    }
    collector.stop().await;
}

async fn a_damaged_row_is_a_gap_and_hides_nothing_behind_it(engine: Engine) {
    let collector = Collector::start(&engine).await;
    collector.agent("n1").await.publish([1, 2, 3]).await;
    collector.other().await.damage(2).await;
    // What was read before is still told as it was.
    let collector = collector.restart().await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    assert_eq!(subscriber.sequences(1).await, [1]);
    let Item::Gap(gap) = subscriber.entry().await else {
        panic!("no gap at the row that is damaged");
    };
    assert_eq!((gap.cursor, gap.events), (2, 1));
    assert_eq!(subscriber.sequences(1).await, [3]);
    collector.stop().await;
}

async fn a_cursor_of_another_log_is_refused(engine: Engine) {
    let collector = Collector::start(&engine).await;
    collector.agent("n1").await.publish([1, 2]).await;
    let mut client = collector.events().await;
    let mut subscribe = async |log, cursor| {
        let request = SubscribeRequest {
            filter: None,
            from: Some(From::AfterCursor(cursor)),
            log,
        };
        let mut stream = client.subscribe(request).await?.into_inner();
        let first = stream.message().await?.and_then(|first| first.item);
        let Some(Item::Heartbeat(heartbeat)) = first else {
            panic!("{first:?} is no heartbeat");
        };
        Ok::<_, Status>(heartbeat.log)
    };
    let log = subscribe(0, 1).await.unwrap();
    assert_ne!(log, 0);
    assert_eq!(subscribe(log, 1).await.unwrap(), log);
    assert_eq!(
        subscribe(log + 1, 0).await.unwrap(),
        log,
        "0 is the beginning of each"
    );
    let status = subscribe(log + 1, 1).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(status.message().contains("replaced"), "{status}");

    let collector = collector.restart().await;
    let mut again = collector.subscribe(beginning(), all()).await;
    let Item::Heartbeat(heartbeat) = again.next().await.unwrap() else {
        panic!("the first item is no heartbeat");
    };
    assert_eq!(heartbeat.log, log, "it stays the same over a restart");
    collector.stop().await;
}
