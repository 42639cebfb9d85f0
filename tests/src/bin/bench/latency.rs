//! From the packet that crosses the threshold to the subscriber, over scans that each open anew.

use std::{
    fmt, fs,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, anyhow};
use api::v1::{Event, State, subscribe_request::From};
use serde_json::{Value, json};
use tests::{Place, Pod, Process, Story, Subscription, Watch};

use crate::report;

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

    let mut raised = Vec::new();
    let mut told = Vec::new();
    let mut during = 0_u32;
    for source in &sources {
        let scan = scan(source, &story.app2, &mut subscription)
            .map_err(|error| anyhow!("scan by {source}: {error:#}{}", watch.log()))?;
        raised.push(scan.raised);
        told.push(scan.told);
        during += u32::from(scan.told_before_its_end);
    }
    raised.sort_unstable();
    told.sort_unstable();
    let raised = Percentiles::of(&raised);
    let told = Percentiles::of(&told);
    println!("{scans} scans, in ms since the packet that crossed the threshold:");
    println!("  raised by the agent    {raised}");
    println!("  told to the subscriber {told}");
    println!("  {during} were told before nmap ended");
    let measured = json!({
        "scans": scans,
        "raised_ms": raised.json(),
        "told_ms": told.json(),
        "told_before_nmap_ended": f64::from(during) / f64::from(scans),
        "machine": report::machine()?,
    });
    let path = report::path("latency.json")?;
    fs::write(&path, format!("{measured:#}\n"))?;
    println!("  written to {}", path.display());
    Ok(())
}

struct Scan {
    /// From the packet that crossed the threshold until the agent raised the event.
    raised: Duration,
    /// From the same packet until the event arrived.
    told: Duration,
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
    nmap.wait(LIMIT)?;
    let crossed = event
        .crossed_at
        .context("the event does not say when it crossed")?;
    let crossed = SystemTime::try_from(crossed)?;
    let raised = event
        .raised_at
        .context("the event does not say when it was raised")?;
    let since = |time: SystemTime| {
        time.duration_since(crossed)
            .context("it happened before the packet that crossed the threshold")
    };
    Ok(Scan {
        raised: since(SystemTime::try_from(raised)?)?,
        told: since(arrived)?,
        told_before_its_end: nmap.ended_at().is_some_and(|ended| arrived < ended),
    })
}

/// In milliseconds, to the microsecond.
struct Percentiles {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

impl Percentiles {
    /// Each is the smallest of `sorted` that so many percent of them do not exceed.
    fn of(sorted: &[Duration]) -> Self {
        let percentile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            (sorted[rank - 1].as_secs_f64() * 1e6).round() / 1e3
        };
        Self {
            p50: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max: percentile(100),
        }
    }

    fn json(&self) -> Value {
        json!({"p50": self.p50, "p90": self.p90, "p99": self.p99, "max": self.max})
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, max } = self;
        write!(f, "p50 {p50:.1}, p90 {p90:.1}, p99 {p99:.1}, max {max:.1}")
    }
}
