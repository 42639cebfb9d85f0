//! The cursors of outputs: the same on each engine, and one collector's at a time.

use std::{fs, path::Path};

use collector::config::{Outputs, Retain};
use tempfile::TempDir;

use crate::{
    agent::Agent,
    engine::{Engine, on_each_engine},
    harness::{Collector, eventually},
    postgres::Database,
};

on_each_engine! {
    an_output_goes_on_where_it_was_and_a_new_one_begins_at_the_end,
    what_retention_removed_is_told_and_counted,
}

/// The outputs of a file in this folder.
fn outputs(folder: &Path, yaml: &str) -> Outputs {
    let path = folder.join("outputs.yaml");
    fs::write(&path, yaml).unwrap();
    Outputs::read(&path).unwrap()
}

fn to_file(name: &str, path: &Path, more: &str) -> String {
    let path = path.display();
    format!(
        "- {{name: {name}, retry: {{first: 5ms, longest: 20ms}}, file: {{path: {path}}}{more}}}\n"
    )
}

/// What the lines say: the sequences of events, and 0 for a gap.
fn told(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let ended = text.rfind('\n').map_or(0, |it| it + 1);
    let lines = text[..ended].lines();
    lines
        .map(|line| {
            let told: serde_json::Value = serde_json::from_str(line).unwrap();
            let is_event = told["detector"].is_string();
            let sequence = told["id"]["sequence"].as_u64();
            sequence.filter(|_| is_event).unwrap_or(0)
        })
        .collect()
}

async fn wait_for(path: &Path, count: usize) -> Vec<u64> {
    eventually("the lines", async || {
        let told = told(path);
        (told.len() >= count).then_some(told)
    })
    .await
}

async fn start(engine: &Engine, folder: TempDir, yaml: &str, retain: Retain) -> Collector {
    let outputs = outputs(folder.path(), &format!("outputs:\n{yaml}"));
    Collector::sending(engine, folder, outputs, retain).await
}

async fn an_output_goes_on_where_it_was_and_a_new_one_begins_at_the_end(engine: Engine) {
    let place = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|it| place.path().join(it));
    let first = to_file("old", &old, ", from: beginning");
    let folder = tempfile::tempdir().unwrap();
    let collector = start(&engine, folder, &first, Retain::default()).await;
    let mut agent = collector.agent("n1").await;
    agent.publish(1..=5).await;
    wait_for(&old, 5).await;
    drop(agent);
    let both = first + &to_file("new", &new, "");
    let collector = start(&engine, collector.stop().await, &both, Retain::default()).await;
    eventually("the outputs to be served", async || {
        let serving = collector.metric("picket_collector_outputs_serving").await;
        let page = collector.page("/metrics").await;
        let at_end = page.contains("output_lag_events{output=\"new\"} 0");
        (serving == 1 && at_end && cursors(&collector, 2).await).then_some(())
    })
    .await;
    let mut agent = collector.agent("n1").await;
    agent.send_after(5, 6..=8).await;
    agent.acknowledged().await;
    assert_eq!(wait_for(&old, 8).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(wait_for(&new, 3).await, [6, 7, 8]);
    collector.stop().await;
}

/// Whether so many cursors are kept.
async fn cursors(collector: &Collector, count: u64) -> bool {
    collector.other().await.count("outputs").await == count
}

async fn what_retention_removed_is_told_and_counted(engine: Engine) {
    const EVENTS: u64 = 1000;
    let place = tempfile::tempdir().unwrap();
    let away = place.path().join("away");
    let path = away.join("lines");
    let yaml = to_file("file", &path, ", from: beginning");
    let retain = Retain {
        bytes: Some(20_000),
        age: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let collector = start(&engine, folder, &yaml, retain).await;
    let mut agent = collector.agent("n1").await;
    for first in (1..=EVENTS).step_by(100) {
        agent.publish(first..first + 100).await;
    }
    let horizon = eventually("the removal", async || {
        let horizon = collector.metric("picket_collector_horizon_cursor").await;
        (horizon > EVENTS - 200).then_some(horizon)
    })
    .await;
    // What is still in memory is none that is missing, so it starts anew.
    drop(agent);
    let folder = collector.stop().await;
    fs::create_dir(&away).unwrap();
    let collector = start(&engine, folder, &yaml, retain).await;
    let all = eventually("the last one", async || {
        let told = told(&path);
        (told.last() == Some(&EVENTS)).then_some(told)
    })
    .await;
    // What was read before is sent; then follows the gap, and what is kept.
    let gap = all.iter().position(|it| *it == 0).unwrap();
    assert!((1..=gap as u64).eq(all[..gap].iter().copied()), "{all:?}");
    let rest = &all[gap + 1..];
    assert!(rest[0] > horizon && rest.is_sorted(), "{all:?}");
    assert_eq!(rest.len() as u64, EVENTS - rest[0] + 1, "{all:?}");
    let page = collector.page("/metrics").await;
    let name = "picket_collector_output_removed_events_total{output=\"file\"} ";
    let removed = page.lines().find_map(|it| it.strip_prefix(name)).unwrap();
    assert_eq!(removed.parse::<u64>().unwrap(), rest[0] - 1 - gap as u64);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("retention removed"), "{text}");
    collector.stop().await;
}

#[tokio::test]
async fn of_several_collectors_on_one_database_one_sends_and_another_takes_over() {
    let Some(database) = Database::create().await else {
        return;
    };
    let engine = Engine::Postgres(database);
    let place = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|it| place.path().join(it));
    let sending = async |path: &Path| {
        let yaml = to_file("file", path, ", from: beginning");
        let folder = tempfile::tempdir().unwrap();
        start(&engine, folder, &yaml, Retain::default()).await
    };
    let first = sending(&one).await;
    let serves = async |collector: &Collector| {
        let serving = "picket_collector_outputs_serving";
        (collector.metric(serving).await == 1).then_some(())
    };
    eventually("the first to serve", async || serves(&first).await).await;
    let second = sending(&other).await;
    let mut agent = second.agent("n1").await;
    agent.publish(1..=20).await;
    wait_for(&one, 20).await;
    assert!(serves(&second).await.is_none());
    first.stop().await;
    agent.send_after(20, 21..=40).await;
    agent.acknowledged().await;
    assert!(wait_for(&other, 20).await.iter().copied().eq(21..=40));
    assert!(told(&one).iter().copied().eq(1..=20));
    second.stop().await;
}

#[tokio::test]
async fn connections_that_are_cut_cost_no_event_and_none_comes_twice() {
    let Some(database) = Database::create().await else {
        return;
    };
    let engine = Engine::Postgres(database.clone());
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lines");
    let yaml = to_file("file", &path, ", from: beginning");
    let folder = tempfile::tempdir().unwrap();
    let collector = start(&engine, folder, &yaml, Retain::default()).await;
    let by = database.connect().await;
    for round in 0..4_u64 {
        let last = (round + 1) * 10;
        eventually("the events to be taken", async || {
            let mut agent = Agent::connect(collector.channel().await, "n1").await.ok()?;
            if agent.welcome == last {
                return Some(());
            }
            agent
                .send_after(agent.welcome, agent.welcome + 1..=last)
                .await;
            agent.next().await.ok().map(drop)
        })
        .await;
        wait_for(&path, usize::try_from(last).unwrap()).await;
        database.cut(&by).await;
    }
    assert!(told(&path).iter().copied().eq(1..=40), "{:?}", told(&path));
    collector.stop().await;
}
