//! From the packet that crosses the threshold to the subscriber, over scans that each open anew.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use api::v1::{Event, State, subscribe_request::From};
use serde_json::json;
use tests::{Place, Pod, Process, Story, Subscription, Watch};

const LIMIT: Duration = Duration::from_secs(20);

/// Runs `scans` of 1,000 ports, each from a pod of its own, and reports.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(crate) fn run(scans: u8) -> Result<()> {
    let story = Story::new()?;
    let sources: Vec<Pod> = (0..scans)
        .map(|index| {
            let address = format!("10.244.10.{index}");
            story
                .node
                .routed("bench", &format!("s{index}"), &[&address])
        })
        .collect::<Result<_>>()?;
    let pods: Vec<&Pod> = sources.iter().chain([&story.app2]).collect();
    let watch = Watch::start(&story.node, &pods, "{}\n", Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;

    let mut latencies = Vec::new();
    let mut during = 0_u32;
    for source in &sources {
        let scan = scan(source, &story.app2, &mut subscription)
            .with_context(|| format!("scan by {source}{}", watch.log()))?;
        latencies.push(scan.latency);
        during += u32::from(scan.told_before_its_end);
    }
    latencies.sort_unstable();
    let percentile = |percent| milliseconds(percentile(&latencies, percent));
    let report = json!({
        "scans": scans,
        "p50_ms": percentile(50),
        "p90_ms": percentile(90),
        "p99_ms": percentile(99),
        "max_ms": percentile(100),
        "told_before_nmap_ended": f64::from(during) / f64::from(scans),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        "cpus": std::thread::available_parallelism()?,
    });
    println!(
        "{scans} scans, from the packet that crossed the threshold to the subscriber:\n  \
         p50 {} ms, p90 {} ms, p99 {} ms, max {} ms\n  \
         {during} were told before nmap ended",
        report["p50_ms"], report["p90_ms"], report["p99_ms"], report["max_ms"]
    );
    let path = report_path("latency")?;
    fs::write(&path, format!("{report:#}\n"))?;
    println!("  written to {}", path.display());
    Ok(())
}

struct Scan {
    latency: Duration,
    told_before_its_end: bool,
}

fn scan(source: &Pod, target: &Pod, subscription: &mut Subscription) -> Result<Scan> {
    let mut nmap = source.command("nmap");
    nmap.args(["-n", &target.address().to_string()]);
    let mut nmap = Process::spawn("nmap", &mut nmap)?;
    let address = source.address().to_string();
    let (event, arrived) = subscription.event(LIMIT, |event: &Event| {
        let from = event.source.as_ref().map(|source| source.address.as_str());
        event.state() == State::Opened && from == Some(address.as_str())
    })?;
    let crossed = event
        .crossed_at
        .context("the event does not say when it crossed")?;
    nmap.wait(LIMIT)?;
    Ok(Scan {
        latency: arrived
            .duration_since(SystemTime::try_from(crossed)?)
            .context("the event arrived before the packet that crossed the threshold")?,
        told_before_its_end: nmap.ended_at().is_some_and(|ended| arrived < ended),
    })
}

/// The smallest of `sorted` that `percent` of them do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

/// In milliseconds, to the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// `bench/NAME.json` in the target directory this was built into.
fn report_path(name: &str) -> Result<PathBuf> {
    let here = env::current_exe()?;
    let target = here.ancestors().nth(2).map(Path::to_path_buf);
    let directory = target.context("no target directory")?.join("bench");
    fs::create_dir_all(&directory)?;
    Ok(directory.join(format!("{name}.json")))
}
