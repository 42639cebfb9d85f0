//! `courier`: the delivery of an agent without the rest, with events of nobody, for tests that kill it.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use agent::deliver::{Agent, Downlink, Metrics, Outbox, Place, Publisher, Spooling};
use anyhow::{Context as _, Result};
use api::{transport::Remote, v1};
use clap::Parser;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// Raises numbered events, and delivers them until it is asked to end and all is delivered.
#[derive(Debug, Parser)]
struct Arguments {
    /// Name of the node.
    #[arg(long)]
    node: String,
    /// Where the collector listens.
    #[arg(long)]
    collector: Remote,
    /// Where the spool is, and a journal of what was durable.
    #[arg(long)]
    folder: PathBuf,
    /// Events a second.
    #[arg(long)]
    rate: u32,
    /// Bound of the spool.
    #[arg(long, default_value = "67108864")]
    spool_bytes: u64,
    /// Events in all; without it there is no end.
    #[arg(long)]
    events: Option<u64>,
}

const TICK: Duration = Duration::from_millis(5);

#[tokio::main]
#[expect(clippy::print_stdout, reason = "it tells who started it")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    println!("ready");
    let spooling = Spooling {
        place: Place::At(arguments.folder.join("spool")),
        capacity_bytes: arguments.spool_bytes,
    };
    let outbox = Outbox::open(&spooling, Metrics::default())?;
    let agent = Agent {
        node: arguments.node.clone(),
        epoch: now()?.max(outbox.newest_epoch() + 1),
    };
    let (_status, reported) = watch::channel(v1::NodeStatus::default());
    let (leave, leaving) = watch::channel(false);
    let publisher = Publisher {
        remote: arguments.collector.clone(),
        agent: agent.clone(),
        outbox: outbox.clone(),
        downlink: Downlink::default(),
        status: reported,
    };
    let publishing = tokio::spawn(publisher.run(leaving));
    let journal = Journal::open(&arguments.folder, agent.epoch)?;
    let noting = tokio::spawn(journal.keep(outbox.spooled()));
    tokio::select! {
        _ = terminate.recv() => {}
        raised = raise(&arguments, &agent, &outbox) => {
            raised?;
            terminate.recv().await;
        }
    }
    outbox.flushed().await;
    leave.send_replace(true);
    publishing.await?;
    noting.abort();
    Ok(())
}

async fn raise(arguments: &Arguments, agent: &Agent, outbox: &Outbox) -> Result<()> {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let most = arguments.events.unwrap_or(u64::MAX);
    let mut owed = 0.0;
    let mut sequence = 0;
    while sequence < most {
        tick.tick().await;
        owed += f64::from(arguments.rate) * TICK.as_secs_f64();
        while owed >= 1.0 && sequence < most {
            owed -= 1.0;
            sequence += 1;
            outbox.raise(event(agent, sequence)?);
        }
    }
    Ok(())
}

/// Of every severity and state, and with updates of one anomaly behind each other.
fn event(agent: &Agent, sequence: u64) -> Result<v1::Event> {
    let at = Some(v1::Timestamp::from(
        UNIX_EPOCH + Duration::from_nanos(now()?),
    ));
    let severity = match sequence % 10 {
        0 => v1::Severity::High,
        1 | 2 => v1::Severity::Medium,
        3..6 => v1::Severity::Low,
        _ => v1::Severity::Info,
    };
    let state = match sequence % 20 {
        0 => v1::State::Opened,
        19 => v1::State::Closed,
        _ => v1::State::Updated,
    };
    Ok(v1::Event {
        id: Some(v1::EventId {
            node: agent.node.clone(),
            epoch: agent.epoch,
            sequence,
        }),
        anomaly_id: format!(
            "{}/{}/1.1/beacon/{}",
            agent.node,
            agent.epoch,
            sequence / 20
        ),
        state: state.into(),
        detector: "beacon".into(),
        severity: severity.into(),
        raised_at: at,
        crossed_at: at,
        first_seen: at,
        last_seen: at,
        source: Some(v1::Endpoint {
            address: "10.244.147.92".into(),
            ..v1::Endpoint::default()
        }),
        summary: "x".repeat(300),
        ..v1::Event::default()
    })
}

/// Up to where the events of this start were durable, one line each time that grew.
struct Journal {
    file: File,
    epoch: u64,
}

impl Journal {
    fn open(folder: &Path, epoch: u64) -> Result<Self> {
        let path = folder.join("journal");
        let file = OpenOptions::new().append(true).create(true).open(&path);
        Ok(Self {
            file: file.with_context(|| format!("cannot open {}", path.display()))?,
            epoch,
        })
    }

    async fn keep(mut self, mut spooled: watch::Receiver<u64>) -> Result<()> {
        loop {
            let sequence = *spooled.borrow_and_update();
            self.file
                .write_all(format!("{} {sequence}\n", self.epoch).as_bytes())?;
            spooled.changed().await?;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it stands for an agent's clock")]
fn now() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_nanos())?)
}
