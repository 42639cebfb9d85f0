//! `picket-agent`: the wiring.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use agent::{
    access::Access,
    account::Account,
    baselines::Store,
    boot,
    canary::{self, Canary},
    config::{Args, Command, Config, Follower, Secured},
    containment,
    datapath::{self, Datapath},
    deliver::{Agent, COMMANDS, Downlink, Outbox, Outcomes, Publisher, Server},
    doctor::{Doctor, Given},
    identity::{Memory, Remembered, Teller, remember},
    interfaces,
    metrics::Metrics,
    operators::{self, ORDERS, Operators},
    policy::{Hits, InForce, Kept},
    replay::Replay,
    rights,
    sentry::{Ends, Orders, Sentry},
    web::{Readiness, Web},
};
use anyhow::Context as _;
use api::{
    pods::{self, Pods},
    v1::{Finding, NodeStatus, Verdict},
};
use clap::{CommandFactory as _, FromArgMatches as _};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    time::timeout,
};
use tracing::{info, warn};

/// As clap's own for flags it does not know.
const CONFIGURATION: u8 = 2;
/// Changes of interfaces that may wait for the loop.
const CHANGES: usize = 1024;
/// How long the last events may take to reach the collector when the agent is told to stop.
const FAREWELL: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let matches = Args::command().get_matches();
    let config = match Config::read(&matches) {
        Ok(config) => config,
        Err(error) => return fail(&error.into(), ExitCode::from(CONFIGURATION)),
    };
    let known = match config.pod_table.as_deref().map(pods::read).transpose() {
        Ok(known) => known.unwrap_or_default(),
        Err(error) => return fail(&error.into(), ExitCode::from(CONFIGURATION)),
    };
    config.log.clone().install();
    let command = Args::from_arg_matches(&matches).map(|args| args.command);
    let done = match command {
        Ok(Some(Command::Detach)) => detach(&config.datapath.pin),
        Ok(Some(Command::Doctor)) => examine(&given(&config)),
        Ok(Some(Command::Replay { file, pod })) => replay(Replay {
            file,
            pod,
            pods: known,
            policy: config.policy,
            tick: config.tick,
        }),
        Ok(None) => match config.secure() {
            Ok(secured) => watch(config, secured, known, Follower::new(&matches)),
            Err(error) => return fail(&error.into(), ExitCode::from(CONFIGURATION)),
        },
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, ExitCode::FAILURE),
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a process that stops")]
fn fail(error: &anyhow::Error, code: ExitCode) -> ExitCode {
    eprintln!("error: {error:#}");
    code
}

#[expect(clippy::print_stdout, reason = "what a person asked for")]
fn detach(pin: &datapath::Pin) -> anyhow::Result<()> {
    let removed = datapath::detach(pin)?;
    for removed in &removed {
        println!("{removed}");
    }
    let canary = canary::remove()?;
    if canary {
        println!("removed the interfaces of the canary");
    }
    if removed.is_empty() && !canary {
        println!("nothing to remove: no agent has left anything here");
    }
    Ok(())
}

fn given(config: &Config) -> Given {
    Given {
        capabilities: rights::held(),
        slots: config.datapath.slots,
        pin: config.datapath.pin.clone(),
        spool: config.spooling.place.clone(),
        scans: config.canary.is_some(),
        certificate: config.secrets.certificate().cloned(),
    }
}

#[expect(clippy::print_stdout, reason = "what a person asked for")]
fn examine(given: &Given) -> anyhow::Result<()> {
    let findings = given.examine();
    let failed = |it: &&Finding| it.verdict() == Verdict::Failed;
    for finding in &findings {
        let verdict = match finding.verdict() {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
            Verdict::Unspecified => "unknown",
        };
        println!("{verdict:8} {}: {}", finding.check, finding.found);
        if !finding.remedy.is_empty() {
            println!("         {}", finding.remedy);
        }
    }
    let failed = findings.iter().filter(failed).count();
    anyhow::ensure!(
        failed == 0,
        "{failed} check(s) failed: see above what to do"
    );
    Ok(())
}

fn replay(replay: Replay) -> anyhow::Result<()> {
    match replay.run() {
        Err(error) if error.reader_left() => Ok(()),
        result => Ok(result?),
    }
}

fn watch(
    config: Config,
    secured: Secured,
    known: Pods,
    follower: Option<Follower>,
) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(|| {
            if let Err(error) = rights::give_up() {
                warn!(%error, "a thread keeps its rights");
            }
        })
        .build()
        .context("cannot start the runtime")?
        .block_on(run(config, secured, known, follower))
}

async fn run(
    config: Config,
    secured: Secured,
    known: Pods,
    follower: Option<Follower>,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;

    if secured.insecure {
        warn!(
            "insecure: beyond this machine, whoever is on the way reads along, and nobody says who he is"
        );
    }
    let given = given(&config);
    let (registry, metrics) = Metrics::new();
    let outbox = match &config.collector {
        Some(_) => Outbox::open(&config.spooling, metrics.deliver)?,
        None => Outbox::standalone(metrics.deliver),
    };
    let memory = config.identity.map(|path| Memory::at(path, boot::id()));
    let former = match memory.as_ref().map(Memory::read) {
        Some(Ok(former)) => former,
        Some(Err(error)) => {
            warn!(%error, "pods are unknown until the collector tells them");
            Remembered::default()
        }
        None => Remembered::default(),
    };
    let remembered = memory.map(|memory| {
        let (remembered, kept) = watch::channel(Remembered::default());
        tokio::spawn(remember(memory, kept));
        remembered
    });
    // Who has no collector knows of no pods but those in the file.
    let is_alone = config.collector.is_none() && former.pods.is_empty();
    let (told_by, known) = match config.pod_table.is_some() || is_alone {
        true => (Teller::Operator, known),
        false => (Teller::Memory, former.pods),
    };
    let (pods, known_pods) = watch::channel(known);
    let (teller, told_by) = watch::channel(told_by);
    let (services, declared) = watch::channel(former.services);
    let (told_policy, policy_told) = watch::channel(None);
    let (commands, relayed) = mpsc::channel(COMMANDS);
    let (selftests, wanted) = mpsc::channel(canary::REQUESTS);
    let (orders, commanded) = mpsc::channel(ORDERS);
    let outcomes = Outcomes::default();
    let (changes, changed) = mpsc::channel(1);
    let hits = Hits::new(metrics.policy.clone());
    let kept = config.kept_policy.map(Kept::at);
    let (in_force, standing) = InForce::start(config.policy, kept, metrics.policy);
    tokio::spawn(in_force.run(policy_told, changed));
    if let Some(follower) = follower {
        tokio::spawn(follower.run(changes));
    }
    let (status, reported) = watch::channel(NodeStatus::default());
    let agent = Agent {
        node: config.node,
        // Later than all that waits, even when the clock was set back.
        epoch: epoch().max(outbox.newest_epoch().saturating_add(1)),
    };

    let access = Access::new(secured.tls, metrics.access);
    let server = Server::bind(
        &config.listen,
        &agent.node,
        &outbox,
        reported.clone(),
        access,
    )
    .await?;
    let web = Web::bind(config.metrics).await?;
    let datapath = Datapath::load(&config.datapath)?;
    let attachment = datapath.attachment().name();
    let (findings, found) = watch::channel(Vec::new());
    let doctor = Doctor {
        given,
        hooks: datapath.hooks(),
        status: reported.clone(),
        outbox: outbox.clone(),
        findings,
    };
    // Threads that come later start with what is left to this one.
    rights::give_up()?;
    let changes = interfaces::watch(config.interfaces, CHANGES, metrics.interfaces)?;
    // Beside what is usual, for both are of this node alone.
    let contained = config.baselines.as_ref();
    let contained = contained.map(|it| it.with_file_name("containments.json"));
    let contained = contained.map(containment::Store::at);
    let (canary, judge, scanned) = Canary::new(agent.clone(), wanted, metrics.canary);
    let ends = Ends {
        changes,
        pods: known_pods,
        teller: told_by,
        former: former.interfaces,
        services: declared,
        remembered,
        policy: standing.policy,
        hits,
        account: Account {
            policy: standing.status,
            canary: scanned,
            findings: found,
        },
        canary: judge,
        outbox: outbox.clone(),
        status,
        baselines: config.baselines.map(Store::at),
    };
    let orders_given = Orders {
        commanded,
        outcomes: outcomes.clone(),
        kept: contained,
    };
    let operators = Operators {
        authority: secured.operators,
        node: agent.node.clone(),
        since: operators::since(orders_given.kept.as_ref(), now()),
        commands: relayed,
        orders,
    };
    tokio::spawn(operators.run());
    if let Some(every) = config.canary {
        tokio::spawn(canary.run(every));
    }
    let sentry = Sentry::new(agent.clone(), datapath, ends, orders_given, metrics.sentry);
    tokio::spawn(doctor.run());
    let readiness = Readiness::default();
    let watching = readiness.wait_for("interfaces");

    let (leave, leaving) = watch::channel(false);
    let publishing = secured.collector.map(|remote| {
        let publisher = Publisher {
            remote,
            agent: agent.clone(),
            outbox: outbox.clone(),
            downlink: Downlink {
                pods: pods.into(),
                teller,
                services: services.into(),
                policy: told_policy,
                commands,
                selftests,
                outcomes,
            },
            status: reported,
        };
        tokio::spawn(publisher.run(leaving))
    });
    for listen in server.local() {
        info!(%listen, "serving gRPC");
    }
    info!(node = agent.node, attachment, "watching this node's pods");

    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let watch = async {
        sentry.run(config.tick, || drop(watching), stop).await?;
        leave.send_replace(true);
        if let Some(publishing) = publishing
            && timeout(FAREWELL, publishing).await.is_err()
        {
            farewell(&outbox).await;
        }
        anyhow::Ok(())
    };
    // Tasks of their own: the loop may be busy attaching to hundreds of interfaces.
    let serving = tokio::spawn(server.run());
    let serving_web = tokio::spawn(web.run(registry, readiness));
    tokio::select! {
        served = serving => served??,
        served = serving_web => served??,
        watched = watch => watched?,
    }
    Ok(())
}

/// Says what becomes of events that the collector has not acknowledged.
async fn farewell(outbox: &Outbox) {
    let pending = outbox.pending();
    match timeout(FAREWELL, outbox.flushed()).await {
        Ok(true) => info!(
            pending,
            "stopping with events that the collector has not acknowledged; they wait on disk"
        ),
        _ => warn!(
            pending,
            "stopping with events that the collector has not acknowledged; those in memory are lost"
        ),
    }
}

#[expect(clippy::disallowed_methods, reason = "read at the start alone")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn epoch() -> u64 {
    let since = now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
