//! How long it takes to attach to interfaces that all come at once.

use std::{fmt::Write as _, fs, time::Duration};

use agent::datapath::{Attach, Config, Datapath, Pin};
use anyhow::{Result, ensure};
use rustix::thread::{MembarrierCommand, membarrier};
use serde_json::{Value, json};
use tests::{Client, Namespace, Node, Watch, wait_for};

use crate::{report, stopwatch};

const LIMIT: Duration = Duration::from_secs(60);
/// More than a node has pods: Kubernetes says 110, some allow 250.
const INTERFACES: u32 = 500;
const SLOTS: u32 = 512;
/// From here on indexes are free in a namespace of our own.
const FIRST_INDEX: u32 = 1000;
/// Once the agent has gone its pinned links end in the background, one grace period each: tcx is last.
const WAYS: [(&str, Attach); 3] = [
    ("clsact", Attach::Clsact),
    ("auto", Attach::Auto),
    ("tcx", Attach::Tcx),
];
const GRACE_PERIODS: usize = 100;
/// Interfaces that one `ip` makes.
const PART: usize = 50;

/// Runs all measurements and reports.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(crate) fn run() -> Result<()> {
    // The kernel is busy for long with the end of a namespace, so all of them stay until the end of this.
    let mut namespaces = Vec::new();
    let unwatched = unwatched(&mut namespaces)?;
    println!("{INTERFACES} veths at once are made in {unwatched:.2?} without an agent");
    let grace_period = percentiles(grace_periods()?);
    println!("an RCU grace period, in ms: {}", line(grace_period));
    let mut ways = Vec::new();
    for (name, attach) in WAYS {
        let one = percentiles(one_by_one(attach, &mut namespaces)?);
        let [made, attached] = storm(name, attach, &mut namespaces)?;
        println!("{name}:");
        println!("  both programs at one of them, in ms: {}", line(one));
        println!("  all at once: made in {made:.2?}, attached {attached:.2?} after the start");
        ways.push(json!({
            "attach": name,
            "one_ms": milliseconds(one),
            "made_s": made.as_secs_f64(),
            "attached_s": attached.as_secs_f64(),
        }));
    }
    let measured: Value = json!({
        "interfaces": INTERFACES,
        "made_unwatched_s": unwatched.as_secs_f64(),
        "grace_period_ms": milliseconds(grace_period),
        "ways": ways,
        "machine": report::machine()?,
    });
    let path = report::path("attach.json")?;
    fs::write(&path, format!("{measured:#}\n"))?;
    println!("  written to {}", path.display());
    Ok(())
}

/// How long they take to be made when nobody attaches to them.
fn unwatched(namespaces: &mut Vec<Namespace>) -> Result<Duration> {
    let (namespace, elsewhere) = (Namespace::new()?, Namespace::new()?);
    let start = stopwatch::now();
    make(&namespace, &elsewhere)?;
    let made = start.elapsed();
    namespaces.extend([namespace, elsewhere]);
    Ok(made)
}

/// What tcx waits for twice at each interface, asked for by `membarrier`, which waits for one.
fn grace_periods() -> Result<Vec<Duration>> {
    (0..GRACE_PERIODS)
        .map(|_| {
            let start = stopwatch::now();
            membarrier(MembarrierCommand::Global)?;
            Ok(start.elapsed())
        })
        .collect()
}

/// Until they were made, and until the agent said that it watches them, both from the first on.
fn storm(name: &str, attach: Attach, namespaces: &mut Vec<Namespace>) -> Result<[Duration; 2]> {
    let node = Node::new("node1")?;
    // The agent says it at a tick.
    let config = format!("slots: {SLOTS}\nattach: {name}\ntick: 100ms\n");
    let watch = Watch::pinned(&node, &[], &config)?;
    let agent = Client::connect(&watch.agent_address(), LIMIT)?;
    let elsewhere = Namespace::new()?;
    let start = stopwatch::now();
    make(&node.network, &elsewhere)?;
    let made = start.elapsed();
    wait_for("all to be attached", LIMIT, || {
        let status = agent.nodes()?.into_iter().find_map(|node| node.status);
        let watched = status.map_or(0, |status| status.slots.len());
        Ok((watched == INTERFACES as usize).then_some(()))
    })?;
    let attached = start.elapsed();
    let pins = watch.pins()?;
    let links = pins.iter().filter(|pin| pin.contains("/links/")).count();
    let expected = match attach {
        Attach::Tcx => 2 * INTERFACES as usize..=2 * INTERFACES as usize,
        Attach::Clsact => 0..=0,
        // One that comes alone, as the first does.
        Attach::Auto => 2..=INTERFACES as usize,
    };
    ensure!(
        expected.contains(&links),
        "{links} pinned links, not {expected:?}"
    );
    namespaces.extend([node.network.try_clone()?, elsewhere]);
    Ok([made, attached])
}

/// Makes them with their other ends in `elsewhere`; a part at a time, for `ip` may not take long.
fn make(namespace: &Namespace, elsewhere: &Namespace) -> Result<()> {
    let path = elsewhere.path().display().to_string();
    let indexes: Vec<_> = (FIRST_INDEX..).take(INTERFACES as usize).collect();
    for part in indexes.chunks(PART) {
        let mut lines = String::new();
        for index in part {
            writeln!(
                lines,
                "link add veth{index} index {index} type veth peer name eth{index} netns {path}"
            )?;
        }
        namespace.ip(&lines)?;
    }
    Ok(())
}

/// How long each takes when nothing else is done.
fn one_by_one(attach: Attach, namespaces: &mut Vec<Namespace>) -> Result<Vec<Duration>> {
    let (namespace, elsewhere) = (Namespace::new()?, Namespace::new()?);
    make(&namespace, &elsewhere)?;
    let took = namespace.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut datapath = Datapath::load(&Config {
                slots: SLOTS,
                sample_rate: 1,
                attach,
                pin: Pin::Nowhere,
                samples_per_drain: 0,
                kernel_log: None,
                seed: None,
            })?;
            let took: Vec<_> = (FIRST_INDEX..FIRST_INDEX + INTERFACES)
                .map(|ifindex| {
                    let start = stopwatch::now();
                    datapath.watch(ifindex)?;
                    anyhow::Ok(start.elapsed())
                })
                .collect::<Result<_>>()?;
            ensure!(
                datapath.reports().count() == took.len(),
                "some are not watched"
            );
            anyhow::Ok(took)
        })
    })??;
    namespaces.extend([namespace, elsewhere]);
    Ok(took)
}

/// The 50th, the 99th and the highest.
fn percentiles(mut took: Vec<Duration>) -> [Duration; 3] {
    took.sort_unstable();
    [50, 99, 100].map(|percent| took[(took.len() * percent).div_ceil(100).max(1) - 1])
}

fn line(percentiles: [Duration; 3]) -> String {
    let [p50, p99, max] = percentiles.map(|it| it.as_secs_f64() * 1e3);
    format!("p50 {p50:.3}, p99 {p99:.3}, max {max:.3}")
}

fn milliseconds(percentiles: [Duration; 3]) -> Value {
    let [p50, p99, max] = percentiles.map(|it| (it.as_secs_f64() * 1e6).round() / 1e3);
    json!({"p50": p50, "p99": p99, "max": max})
}
