//! Agents that come back all at once after a restart of the collector.

use std::time::{Duration, Instant, SystemTime};

use agent::deliver::{self, Downlink, Metrics, Outbox, Place, Publisher, Spooling};
use anyhow::{Context as _, Result};
use api::{transport::Remote, v1};
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

use super::{
    Extent,
    collector::Collector,
    event::event,
    runtime,
    store::{Engine, Store},
};

const EPOCH: u64 = 1_795_000_000_000_000_000;

/// More than any of them holds.
const SPOOL_BYTES: u64 = 1 << 20;

/// What must be done by then.
const LIMIT: Duration = Duration::from_secs(120);

#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn run(engine: Engine, extent: Extent) -> Result<Value> {
    let store = Store::new(engine)?;
    let mut collector = Collector::start(&store)?;
    let remote = collector.remote()?;
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let agents = (1..)
        .take(extent.agents)
        .map(|number| Simulated::start(&remote, number));
    let agents = agents.collect::<Result<Vec<_>>>()?;
    let first = runtime
        .block_on(stream(&agents, 1))
        .context("at the start")?;
    collector.stop()?;
    collector.start_again()?;
    let again = runtime
        .block_on(stream(&agents, 2))
        .context("after the restart")?;
    collector.check()?;
    let memory = collector.peak_rss_mib()?;
    let count = agents.len();
    println!(
        "{}: {count} agents, each with a connection of its own",
        engine.name()
    );
    println!(
        "  all streaming {:.1} s after the start, {:.1} s after a restart; collector's peak {memory:.0} MiB",
        first.as_secs_f64(),
        again.as_secs_f64()
    );
    drop(agents);
    collector.stop()?;
    Ok(json!({
        "agents": count,
        "streaming_s": first.as_secs_f64(),
        "streaming_again_s": again.as_secs_f64(),
        "collector_peak_mib": memory,
    }))
}

/// The delivery of a real agent, with events of nobody.
struct Simulated {
    number: u32,
    outbox: Outbox,
    stop: watch::Sender<bool>,
    _status: watch::Sender<v1::NodeStatus>,
}

impl Simulated {
    fn start(remote: &Remote, number: u32) -> Result<Self> {
        let spooling = Spooling {
            place: Place::Nowhere,
            capacity_bytes: SPOOL_BYTES,
        };
        let outbox = Outbox::open(&spooling, Metrics::default())?;
        let (status, reported) = watch::channel(v1::NodeStatus::default());
        let publisher = Publisher {
            remote: remote.clone(),
            agent: deliver::Agent {
                node: format!("node-{number}"),
                epoch: EPOCH,
            },
            outbox: outbox.clone(),
            downlink: Downlink::default(),
            status: reported,
        };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(publisher.run(stopped));
        Ok(Self {
            number,
            outbox,
            stop,
            _status: status,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the event is raised now")]
    fn raise(&self, sequence: u64) {
        let id = v1::EventId {
            node: format!("node-{}", self.number),
            epoch: EPOCH,
            sequence,
        };
        self.outbox.raise(event(self.number, id, SystemTime::now()));
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// How long it takes until an event of each agent is acknowledged.
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
async fn stream(agents: &[Simulated], sequence: u64) -> Result<Duration> {
    let start = Instant::now();
    for agent in agents {
        agent.raise(sequence);
    }
    let all = async {
        for agent in agents {
            agent.outbox.drained().await;
        }
    };
    let streamed = timeout(LIMIT, all).await;
    streamed.with_context(|| format!("not all agents stream after {LIMIT:?}"))?;
    Ok(start.elapsed())
}
