//! Events a second from eight agents, and how long they wait for the commit.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    Extent,
    agents::{Agent, Sent},
    bare,
    collector::Collector,
    runtime,
    store::{Engine, Store},
};
use crate::statistics::Spread;

const AGENTS: u32 = 8;

/// Events of a batch, and of a transaction of the bare loop: as many as an agent sends at once.
pub(super) const BATCH: u64 = 256;

#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn run(engine: Engine, extent: Extent) -> Result<Value> {
    let mut rates = Vec::new();
    let mut floors = Vec::new();
    let mut ratios = Vec::new();
    let mut latencies = Vec::new();
    for _ in 0..extent.rounds {
        let floor = bare::rate(&Store::new(engine)?, extent.time)?;
        let sent = flood(engine, extent.time)?;
        let rate = sent.events as f64 / extent.time.as_secs_f64();
        floors.push(floor);
        rates.push(rate);
        ratios.push(rate / floor);
        latencies.extend(sent.latencies);
    }
    let (rate, floor, ratio) = (Spread::of(rates), Spread::of(floors), Spread::of(ratios));
    let waits = milliseconds(latencies);
    println!(
        "{}: ingest by {AGENTS} agents in batches of {BATCH}",
        engine.name()
    );
    println!(
        "  {:>9.0} events/s; a bare insert loop, {BATCH} a commit: {:.0}; ratio {:.2}",
        rate.median, floor.median, ratio.median
    );
    println!(
        "  commit latency under that load: p50 {:.1} ms, p99 {:.1} ms",
        waits.0, waits.1
    );
    Ok(json!({
        "events_per_second": rate.json(),
        "bare_events_per_second": floor.json(),
        "ratio": ratio.json(),
        "commit_ms": {"p50": waits.0, "p99": waits.1},
    }))
}

fn flood(engine: Engine, time: Duration) -> Result<Sent> {
    let store = Store::new(engine)?;
    let mut collector = Collector::start(&store)?;
    let remote = collector.remote()?;
    let sent = runtime()?.block_on(async {
        let mut agents = JoinSet::new();
        for number in 1..=AGENTS {
            let mut agent = Agent::connect(&remote, number).await?;
            agents.spawn(async move { agent.flood(BATCH, time).await });
        }
        let mut all = Sent::default();
        while let Some(sent) = agents.join_next().await {
            let sent = sent??;
            all.events += sent.events;
            all.latencies.extend(sent.latencies);
        }
        anyhow::Ok(all)
    });
    collector.check()?;
    let sent = sent?;
    collector.stop()?;
    Ok(sent)
}

/// The middle and the 99th of a hundred.
fn milliseconds(mut of: Vec<Duration>) -> (f64, f64) {
    of.sort_unstable();
    let at = |percent: usize| {
        let index = (of.len() * percent / 100).min(of.len().saturating_sub(1));
        of.get(index)
            .map_or(0.0, |wait| (wait.as_secs_f64() * 1e4).round() / 10.0)
    };
    (at(50), at(99))
}
