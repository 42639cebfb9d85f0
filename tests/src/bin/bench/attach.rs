//! How long it takes to attach to interfaces that all come at once.

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use agent::datapath::{Attach, Config, Datapath, Pin};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{Client, Namespace, Node, Watch, wait_for};

use crate::report;

const LIMIT: Duration = Duration::from_secs(60);
/// More than a node has pods: Kubernetes says 110, some allow 250.
const INTERFACES: u32 = 500;
const SLOTS: u32 = 512;
/// From here on indexes are free in a namespace of our own.
const FIRST_INDEX: u32 = 1000;

/// Runs both measurements and reports.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(crate) fn run() -> Result<()> {
    // The kernel is busy for long with the end of a namespace, so all of them stay until the end of this.
    let mut namespaces = Vec::new();
    let [created, attached] = storm(&mut namespaces)?;
    println!("{INTERFACES} veths at once, with an agent that pins:");
    println!("  made within            {:6.2} s", created.as_secs_f64());
    println!("  attached within        {:6.2} s", attached.as_secs_f64());
    let mut ways = Vec::new();
    println!("both programs at one of them, in ms:");
    for (name, attach) in [("tcx", Attach::Tcx), ("clsact", Attach::Clsact)] {
        let mut took = one_by_one(attach, &mut namespaces)?;
        took.sort_unstable();
        let at = |percent: usize| {
            let rank = (took.len() * percent).div_ceil(100).max(1);
            (took[rank - 1].as_secs_f64() * 1e6).round() / 1e3
        };
        let [p50, p99, max] = [50, 99, 100].map(at);
        println!("  {name:<8} p50 {p50:.3}, p99 {p99:.3}, max {max:.3}");
        ways.push(json!({"attach": name, "p50_ms": p50, "p99_ms": p99, "max_ms": max}));
    }
    let measured: Value = json!({
        "interfaces": INTERFACES,
        "created_s": created.as_secs_f64(),
        "attached_s": attached.as_secs_f64(),
        "one": ways,
        "machine": report::machine()?,
    });
    let path = report::path("attach.json")?;
    fs::write(&path, format!("{measured:#}\n"))?;
    println!("  written to {}", path.display());
    Ok(())
}

/// Until they were made, and until the agent said that it watches them, both from the first on.
fn storm(namespaces: &mut Vec<Namespace>) -> Result<[Duration; 2]> {
    let node = Node::new("node1")?;
    let watch = Watch::pinned(&node, &[], &format!("slots: {SLOTS}\n"))?;
    let agent = Client::connect(&watch.agent_address(), LIMIT)?;
    let elsewhere = Namespace::new()?;
    let lines = veths(&elsewhere)?;
    let start = now();
    node.network.ip(&lines)?;
    let created = start.elapsed();
    wait_for("all to be attached", LIMIT, || {
        let status = agent.nodes()?.into_iter().find_map(|node| node.status);
        let watched = status.map_or(0, |status| status.slots.len());
        Ok((watched == INTERFACES as usize).then_some(()))
    })?;
    let attached = start.elapsed();
    namespaces.extend([node.network.try_clone()?, elsewhere]);
    Ok([created, attached])
}

/// Lines of `ip -batch` that make them, with their other ends in `elsewhere`.
fn veths(elsewhere: &Namespace) -> Result<String> {
    let mut lines = String::new();
    for index in FIRST_INDEX..FIRST_INDEX + INTERFACES {
        let path = elsewhere.path().display().to_string();
        writeln!(
            lines,
            "link add veth{index} index {index} type veth peer name eth{index} netns {path}"
        )?;
    }
    Ok(lines)
}

/// How long each takes when nothing else is done.
fn one_by_one(attach: Attach, namespaces: &mut Vec<Namespace>) -> Result<Vec<Duration>> {
    let (namespace, elsewhere) = (Namespace::new()?, Namespace::new()?);
    namespace.ip(&veths(&elsewhere)?)?;
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
            })?;
            let took: Vec<_> = (FIRST_INDEX..FIRST_INDEX + INTERFACES)
                .map(|ifindex| {
                    let start = now();
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

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn now() -> Instant {
    Instant::now()
}
