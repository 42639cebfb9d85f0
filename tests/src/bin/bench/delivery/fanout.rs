//! From an event's raising to a hundred subscribers, all of them reading, and with ten that stall.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use api::v1::{
    self, events_client::EventsClient, subscribe_request::From, subscribe_response::Item,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tonic::{Streaming, transport::Endpoint};

use super::{
    Extent,
    agents::Agent,
    collector::Collector,
    runtime,
    store::{Engine, Store},
};
use crate::statistics::Spread;

const SUBSCRIBERS: usize = 100;
const STALLED: usize = 10;

/// Ten events each twenty milliseconds.
const BATCH: u64 = 10;
const INTERVAL: Duration = Duration::from_millis(20);

/// What a stalled client has room for, so that it stalls soon.
const WINDOW: u32 = 65_535;

#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn run(engine: Engine, extent: Extent) -> Result<Value> {
    let store = Store::new(engine)?;
    let mut collector = Collector::start(&store)?;
    let address = collector.remote()?.to_string();
    let measured = runtime()?.block_on(measure(&address, extent));
    collector.check()?;
    let measured = measured?;
    let memory = collector.peak_rss_mib()?;
    collector.stop()?;
    let [reading, stalled] = measured.p99_ms.map(Spread::of);
    let moved = Spread::of(measured.ratios);
    println!(
        "{}: {SUBSCRIBERS} subscribers, {:.0} events/s",
        engine.name(),
        measured.rate
    );
    println!(
        "  p99 from raising to the subscriber: {:.2} ms; with {STALLED} stalled: {:.2} ms; ratio {:.2}",
        reading.median, stalled.median, moved.median
    );
    println!(
        "  the stalled resumed and missed none of {} events; collector's peak {memory:.0} MiB",
        measured.resumed
    );
    Ok(json!({
        "events_per_second": measured.rate,
        "p99_ms": reading.json(),
        "p99_ms_with_stalled": stalled.json(),
        "ratio": moved.json(),
        "resumed_events": measured.resumed,
        "collector_peak_mib": memory,
    }))
}

struct Measured {
    rate: f64,
    /// All reading, and some stalled.
    p99_ms: [Vec<f64>; 2],
    ratios: Vec<f64>,
    /// Events that the stalled read in the end.
    resumed: u64,
}

async fn measure(address: &str, extent: Extent) -> Result<Measured> {
    let mut agent = Agent::connect(&address.parse()?, 1).await?;
    let mut measured = Measured {
        rate: BATCH as f64 / INTERVAL.as_secs_f64(),
        p99_ms: [Vec::new(), Vec::new()],
        ratios: Vec::new(),
        resumed: 0,
    };
    for _ in 0..extent.rounds {
        let mut p99 = [0.0; 2];
        for (index, stalled) in [0, STALLED].into_iter().enumerate() {
            let round = Round::play(address, &mut agent, extent.time, stalled).await?;
            p99[index] = round.p99_ms;
            measured.p99_ms[index].push(round.p99_ms);
            measured.resumed += round.resumed;
        }
        measured.ratios.push(p99[1] / p99[0]);
    }
    Ok(measured)
}

struct Round {
    p99_ms: f64,
    resumed: u64,
}

impl Round {
    /// `stalled` subscribers do not read until the others have read all.
    async fn play(
        address: &str,
        agent: &mut Agent,
        time: Duration,
        stalled: usize,
    ) -> Result<Self> {
        let expected = Arc::new(AtomicU64::new(u64::MAX));
        let mut idle = Vec::new();
        for _ in 0..stalled {
            idle.push(subscribe(address).await?);
        }
        let mut readers = JoinSet::new();
        for _ in stalled..SUBSCRIBERS {
            let stream = subscribe(address).await?;
            readers.spawn(read(stream, Arc::clone(&expected)));
        }
        let done = AtomicBool::new(false);
        let sending = async {
            let mut tick = tokio::time::interval(INTERVAL);
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                tick.tick().await;
                agent.send(BATCH).await?;
                sent += BATCH;
            }
            anyhow::Ok(sent)
        };
        let (sent, ()) = tokio::join!(sending, async {
            tokio::time::sleep(time).await;
            done.store(true, Ordering::Relaxed);
        });
        let sent = sent?;
        expected.store(sent, Ordering::Relaxed);
        // Wakes those who have read all already.
        agent.send(1).await?;
        let mut latencies = Vec::new();
        while let Some(read) = readers.join_next().await {
            latencies.extend(read??);
        }
        latencies.sort_unstable();
        let p99 = latencies[latencies.len() * 99 / 100];
        let mut resumed = 0;
        for stream in idle {
            resumed += read(stream, Arc::clone(&expected)).await?.len() as u64;
        }
        ensure!(
            resumed == sent * stalled as u64,
            "the stalled read {resumed} of {sent} events each"
        );
        Ok(Self {
            p99_ms: p99.as_secs_f64() * 1e3,
            resumed,
        })
    }
}

async fn subscribe(address: &str) -> Result<Streaming<v1::SubscribeResponse>> {
    let endpoint = Endpoint::from_shared(address.to_owned())?.initial_stream_window_size(WINDOW);
    let request = v1::SubscribeRequest {
        filter: None,
        from: Some(From::Now(true)),
        log: 0,
    };
    let mut client = EventsClient::new(endpoint.connect().await?);
    let mut stream = client.subscribe(request).await?.into_inner();
    let first = stream.message().await?.and_then(|first| first.item);
    ensure!(
        matches!(first, Some(Item::Heartbeat(_))),
        "the first item is {first:?}"
    );
    Ok(stream)
}

/// Reads as many events as there are, without a hole between them; how long each took since it was raised.
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
async fn read(
    mut stream: Streaming<v1::SubscribeResponse>,
    expected: Arc<AtomicU64>,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut last = None;
    while (latencies.len() as u64) < expected.load(Ordering::Relaxed) {
        let response = stream.message().await?.context("the stream ended")?;
        let Some(Item::Event(event)) = response.item else {
            continue;
        };
        let now = SystemTime::now();
        let sequence = event.id.as_ref().map_or(0, |id| id.sequence);
        ensure!(
            last.is_none_or(|last| sequence == last + 1),
            "event {sequence} came after {last:?}"
        );
        last = Some(sequence);
        let raised = SystemTime::try_from(event.raised_at.context("it was never raised")?)?;
        latencies.push(now.duration_since(raised).unwrap_or_default());
    }
    Ok(latencies)
}
