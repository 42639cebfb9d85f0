//! Several collectors on one database are one log.

use std::time::Duration;

use api::v1::{self, State, subscribe_request::From};

use crate::{
    correlations::{publish, scan},
    engine::Engine,
    harness::{Collector, all, beginning, sequence, within},
    postgres::Database,
    subscriber::Subscriber,
};

/// Well below what the poll takes that finds what nobody told of.
const SOON: Duration = Duration::from_secs(2);

async fn replicas() -> Option<(Collector, Collector)> {
    let engine = Engine::Postgres(Database::create().await?);
    // At once, so that both find no tables.
    Some(tokio::join!(
        Collector::start(&engine),
        Collector::start(&engine)
    ))
}

async fn events(subscriber: &mut Subscriber, count: u64) -> Vec<v1::Event> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(subscriber.event().await);
    }
    events
}

#[tokio::test]
async fn subscribers_of_either_see_the_events_of_both_in_one_order() {
    const BATCHES: u64 = 40;
    const BATCH: u64 = 5;
    let Some((one, other)) = replicas().await else {
        return;
    };
    let mut first = one.subscribe(From::Now(true), all()).await;
    let mut second = other.subscribe(From::Now(true), all()).await;
    let publish = async |collector: &Collector, node: &str| {
        let mut agent = collector.agent(node).await;
        for batch in 0..BATCHES {
            let after = batch * BATCH;
            agent.send_after(after, after + 1..=after + BATCH).await;
            agent.acknowledged().await;
        }
    };
    let count = 4 * BATCHES * BATCH;
    let (seen, also_seen, ..) = tokio::join!(
        events(&mut first, count),
        events(&mut second, count),
        publish(&one, "n1"),
        publish(&one, "n2"),
        publish(&other, "n3"),
        publish(&other, "n4"),
    );
    assert!(seen.iter().map(|event| event.cursor).eq(1..=count));
    assert!(seen == also_seen, "the same events at the same cursors");
    for node in ["n1", "n2", "n3", "n4"] {
        let of_node = |event: &&v1::Event| event.id.as_ref().is_some_and(|id| id.node == node);
        let sequences = seen.iter().filter(of_node).map(sequence);
        assert!(sequences.eq(1..=BATCHES * BATCH), "{node}");
    }
    let stored = one.metric("picket_collector_stored_events_total").await;
    assert_eq!(stored, count / 2, "each has written its own");
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_commit_wakes_the_subscribers_of_the_other_at_once() {
    let Some((one, other)) = replicas().await else {
        return;
    };
    let mut live = other.subscribe(From::Now(true), all()).await;
    live.heartbeat().await;
    let mut agent = one.agent("n1").await;
    let woken = async {
        for expected in 1..=20 {
            agent.publish([expected]).await;
            assert_eq!(sequence(&live.event().await), expected);
        }
    };
    tokio::time::timeout(SOON, woken)
        .await
        .expect("it is told of");
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn an_agent_that_goes_to_the_other_is_known_there() {
    let Some((one, other)) = replicas().await else {
        return;
    };
    one.agent("n1").await.publish(1..=5).await;
    let mut agent = other.agent("n1").await;
    assert_eq!(agent.welcome, 5);
    agent.publish(4..=8).await;
    let mut subscriber = one.subscribe(beginning(), all()).await;
    assert_eq!(subscriber.sequences(8).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_correlation_over_both_is_raised_once() {
    const TARGETS: u64 = 8;
    let Some((one, other)) = replicas().await else {
        return;
    };
    let mut live = one.subscribe(From::Now(true), all()).await;
    live.heartbeat().await;
    let scans = async |collector: &Collector, node: &str, first: u32| {
        let mut agent = collector.agent(node).await;
        for target in 1..=TARGETS {
            let ports: Vec<_> = (first..first + 10).collect();
            let mut scan = scan(node, target, &format!("{node}-of-{target}"), &ports);
            scan.targets[0].endpoint.get_or_insert_default().address = format!("10.0.1.{target}");
            publish(&mut agent, vec![scan]).await;
        }
    };
    tokio::join!(
        scans(&one, "n1", 10),
        scans(&other, "n2", 30),
        scans(&one, "n3", 50),
        scans(&other, "n4", 70),
    );
    let told = events(&mut live, 5 * TARGETS).await;
    let opened = told.iter().filter(|it| it.detector == "distributed_scan");
    let mut opened: Vec<_> = opened.filter(|it| it.state() == State::Opened).collect();
    opened.sort_by_key(|event| {
        event.targets[0]
            .endpoint
            .as_ref()
            .map(|it| it.address.clone())
    });
    let targets = opened
        .iter()
        .map(|event| &event.targets[0].endpoint.as_ref().unwrap().address);
    let expected = (1..=TARGETS).map(|target| format!("10.0.1.{target}"));
    assert!(
        targets.eq(expected.collect::<Vec<_>>().iter()),
        "{opened:#?}"
    );

    // Who comes later is part of it, wherever he comes in.
    for (collector, node, first) in [(&one, "n5", 90), (&other, "n6", 110)] {
        let ports: Vec<_> = (first..first + 10).collect();
        let mut scan = scan(node, 1, &format!("{node}-late"), &ports);
        scan.targets[0].endpoint.get_or_insert_default().address = "10.0.1.1".into();
        publish(&mut collector.agent(node).await, vec![scan]).await;
        let late = live.event().await;
        assert_eq!(late.correlated_into, opened[0].anomaly_id, "{late:?}");
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn connections_that_are_cut_lose_nothing_and_double_nothing() {
    const CUTS: usize = 12;
    let Some(database) = Database::create().await else {
        return;
    };
    let engine = Engine::Postgres(database.clone());
    let (one, other) = tokio::join!(Collector::start(&engine), Collector::start(&engine));
    let (cut, was_cut) = tokio::sync::watch::channel(0);
    let publish = async |collector: &Collector, node: &str| {
        let mut published = 0;
        while *was_cut.borrow() < CUTS {
            // A stream that ends is opened again, as agents do.
            let Ok(mut agent) = crate::agent::Agent::connect(collector.channel().await, node).await
            else {
                continue;
            };
            published = agent.welcome;
            loop {
                agent
                    .send_after(published, published + 1..=published + 3)
                    .await;
                match agent.next().await {
                    Ok(_) => published += 3,
                    Err(_) => break,
                }
                if *was_cut.borrow() >= CUTS {
                    break;
                }
            }
        }
        published
    };
    let cuts = async {
        let by = database.connect().await;
        let committed = async |at_least| {
            let head = "SELECT last FROM picket.head";
            let last: i64 = by.query_one(head, &[]).await.unwrap().get(0);
            (last >= at_least).then_some(last)
        };
        let mut last = 0;
        for count in 1..=CUTS {
            last = crate::harness::eventually("commits", async || committed(last + 10).await).await;
            database.cut(&by).await;
            cut.send_replace(count);
        }
    };
    let (of_one, of_other, ()) = within("all cuts", async {
        tokio::join!(publish(&one, "n1"), publish(&other, "n2"), cuts)
    })
    .await;
    // What was sent last may have been stored without a word.
    let held = |at_least: u64, held: u64| (at_least..=at_least + 3).contains(&held);
    let welcome = one.agent("n1").await.welcome;
    assert!(held(of_one, welcome), "{of_one} {welcome}");
    let also = other.agent("n2").await.welcome;
    assert!(held(of_other, also), "{of_other} {also}");
    for collector in [&one, &other] {
        let mut subscriber = collector.subscribe(beginning(), all()).await;
        let seen = events(&mut subscriber, welcome + also).await;
        assert!(seen.iter().map(|event| event.cursor).eq(1..=welcome + also));
        for (node, last) in [("n1", welcome), ("n2", also)] {
            let of_node = |event: &&v1::Event| event.id.as_ref().is_some_and(|id| id.node == node);
            assert!(
                seen.iter().filter(of_node).map(sequence).eq(1..=last),
                "{node}"
            );
        }
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_database_that_is_not_ours_or_newer_or_a_standby_is_refused() {
    for (statement, expected) in [
        ("CREATE SCHEMA picket", "another program's"),
        (
            "CREATE SCHEMA picket; CREATE TABLE picket.version AS SELECT 99 AS version",
            "schema 99 is newer",
        ),
        // As a standby is.
        (
            "DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET default_transaction_read_only TO on'',
                 current_database()); END'",
            "is no standby",
        ),
    ] {
        let Some(database) = Database::create().await else {
            return;
        };
        let client = database.connect().await;
        client.batch_execute(statement).await.unwrap();
        let error = Collector::refused(&Engine::Postgres(database)).await;
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_server_is_believed_when_its_authority_vouches_for_its_name() {
    let Some(database) = Database::create().await else {
        return;
    };
    let by = database.connect().await;
    let collector = Collector::start(&Engine::Url(
        database.tls_url("localhost", &database.roots()),
    ))
    .await;
    collector.agent("n1").await.publish([1]).await;
    let encrypted =
        "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity
        USING (pid) WHERE application_name = 'picket-collector' AND datname = current_database()";
    let row = by.query_one(encrypted, &[]).await.unwrap();
    let (all, encrypted): (i64, i64) = (row.get(0), row.get(1));
    assert!(all > 0 && all == encrypted, "{encrypted} of {all}");
    collector.stop().await;

    let missing = database.roots().with_file_name("missing.pem");
    for (host, roots, expected) in [
        ("127.0.0.1", database.roots(), "127.0.0.1"),
        ("localhost", missing, "missing.pem"),
        (
            "localhost",
            database.roots().with_file_name("extensions"),
            "it has none",
        ),
    ] {
        let url = database.tls_url(host, &roots);
        let error = Collector::refused(&Engine::Url(url)).await;
        assert!(error.contains(expected), "{error}");
    }
}
