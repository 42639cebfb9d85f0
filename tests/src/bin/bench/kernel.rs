//! What a packet costs in the programs and on a veth, what the maps take, and how long a drain does.

mod carousel;
mod cases;
mod chart;
mod drain;
mod flow;
mod measured;
mod memory;
mod slot;
mod test_run;
mod veth;

use std::fs;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::report;

/// The parts of the benchmark.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Part {
    /// Nanoseconds a packet, by test runs.
    Run,
    /// Nanoseconds a packet and throughput of a stream, through a veth pair.
    Veth,
    /// What the maps take.
    Memory,
    /// How long all slots take to be drained.
    Drain,
}

impl Part {
    fn measure(self, case: &str) -> Result<Value> {
        match self {
            Self::Run => test_run::measure(case),
            Self::Veth => veth::measure(),
            Self::Memory => memory::measure(),
            Self::Drain => drain::measure(),
        }
    }
}

/// Measures the parts called for, all of them if none is, and reports.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(crate) fn run(only: &[Part], case: &str) -> Result<()> {
    let mut measured = Map::new();
    for part in Part::value_variants() {
        if only.is_empty() || only.contains(part) {
            let name = part
                .to_possible_value()
                .map_or_else(String::new, |value| value.get_name().to_owned());
            measured.insert(name, part.measure(case)?);
        }
    }
    measured.insert("machine".into(), report::machine()?);
    let path = report::path("kernel.json")?;
    fs::write(&path, format!("{:#}\n", Value::Object(measured)))?;
    println!("written to {}", path.display());
    Ok(())
}
