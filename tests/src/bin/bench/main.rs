//! Benchmarks of the real daemons under real tools.

mod attach;
mod delivery;
mod detect;
mod heap;
mod kernel;
mod latency;
mod page;
mod report;
mod statistics;
mod stopwatch;

use std::{
    num::{NonZeroU8, NonZeroU16},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use tests::{fail_waits_on_signals, require_root, require_tools};

/// Measures what Picket promises, and writes it to `target/bench`.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    benchmark: Option<Benchmark>,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// How long it takes to attach to 500 interfaces that come at once.
    Attach,
    /// The time from the packet that crosses the threshold to the subscriber, over real scans.
    Latency {
        /// How many pods scan, one after another.
        #[arg(long, default_value = "100")]
        scans: NonZeroU8,
    },
    /// Rates, latencies and memory of delivery, against what the store alone can do.
    Delivery {
        /// Only these parts, separated by commas.
        #[arg(long, value_enum, value_delimiter = ',')]
        only: Vec<delivery::Part>,
        /// Only these engines, separated by commas.
        #[arg(long, value_enum, value_delimiter = ',')]
        engine: Vec<delivery::Engine>,
        /// Seconds of each measurement.
        #[arg(long, default_value = "10")]
        seconds: NonZeroU8,
        /// Measurements of each kind, interleaved.
        #[arg(long, default_value = "3")]
        rounds: NonZeroU8,
        /// Agents that reconnect.
        #[arg(long, default_value = "2000")]
        agents: NonZeroU16,
    },
    /// What the detectors find in labelled captures, and what they cost.
    Detect {
        /// A directory of captures with a MANIFEST.tsv; may be given several times.
        #[arg(long, value_name = "DIR")]
        corpus: Vec<PathBuf>,
        /// Succeed also when attacks are missed that must be found, or ordinary work is flagged.
        #[arg(long)]
        allow_misses: bool,
        /// Only these parts, separated by commas.
        #[arg(long, value_enum, value_delimiter = ',')]
        only: Vec<detect::Part>,
    },
    /// What a reader of the page waits for, with much to show.
    Page {
        /// How often each view is opened.
        #[arg(long, default_value = "7")]
        rounds: NonZeroU8,
    },
    /// The cost of a packet and of a drain, and the memory of the maps.
    Kernel {
        /// Only these parts, separated by commas.
        #[arg(long, value_enum, value_delimiter = ',')]
        only: Vec<kernel::Part>,
        /// Of the test runs only cases with this in their name.
        #[arg(long, default_value = "")]
        case: String,
    },
}

#[expect(clippy::print_stderr, reason = "it talks to a person")]
fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let Some(benchmark) = &arguments.benchmark else {
        return Ok(Arguments::command().print_help()?);
    };
    require_root()?;
    require_tools(&["nmap", "ip", "nsenter", "setpriv"])?;
    fail_waits_on_signals()?;
    match benchmark {
        Benchmark::Attach => attach::run(),
        Benchmark::Latency { scans } => latency::run(scans.get()),
        Benchmark::Delivery {
            only,
            engine,
            seconds,
            rounds,
            agents,
        } => {
            let extent = delivery::Extent {
                time: Duration::from_secs(seconds.get().into()),
                rounds: rounds.get().into(),
                agents: agents.get().into(),
            };
            delivery::run(only, engine, extent)
        }
        Benchmark::Detect {
            corpus,
            allow_misses,
            only,
        } => detect::run(only, corpus, *allow_misses),
        Benchmark::Page { rounds } => page::run(rounds.get().into()),
        Benchmark::Kernel { only, case } => kernel::run(only, case),
    }
}
