//! What the detectors find in labelled captures, and what a contact, an observation and a pod cost them.

mod compare;
mod corpus;
mod cost;
mod expected;
mod manifest;
mod memory;
mod outcome;
mod score;
mod workload;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::report;

/// The parts of the benchmark.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Part {
    /// What is found in captures, and how fast.
    Corpus,
    /// Nanoseconds a contact, by synthetic observations.
    Cost,
    /// Bytes a pod.
    Memory,
}

impl Part {
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Measures the parts called for, all of them if none is, and reports; what is not measured stays in the
/// report as the last run left it.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(crate) fn run(only: &[Part], corpora: &[PathBuf], allow_misses: bool) -> Result<()> {
    let path = report::path("detect.json")?;
    let mut measured: Map<String, Value> = match fs::read(&path) {
        Ok(last) => serde_json::from_slice(&last)
            .with_context(|| format!("{} is no report: remove it", path.display()))?,
        Err(_) => Map::new(),
    };
    let mut failures = 0;
    for &part in Part::value_variants() {
        if !only.is_empty() && !only.contains(&part) {
            continue;
        }
        let part_measured = match part {
            Part::Corpus if corpora.is_empty() => {
                println!("no captures are replayed: name directories of them with --corpus");
                continue;
            }
            Part::Corpus => {
                let last = measured.get(&part.name()).unwrap_or(&Value::Null);
                let fared = corpus::measure(corpora, last)?;
                failures = fared.failures;
                fared.json
            }
            Part::Cost => cost::measure()?,
            Part::Memory => memory::measure()?,
        };
        measured.insert(part.name(), part_measured);
    }
    measured.insert("machine".into(), report::machine()?);
    fs::write(&path, format!("{:#}\n", Value::Object(measured)))?;
    println!("written to {}", path.display());
    if failures > 0 && !allow_misses {
        bail!("{failures} captures are not judged as they must be: MISS and FALSE above");
    }
    Ok(())
}
