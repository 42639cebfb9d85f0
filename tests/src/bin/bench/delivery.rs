//! Delivery from agents to subscribers, against what the store alone can do in the same run.

mod agents;
mod bare;
mod collector;
mod event;
mod fanout;
mod flood;
mod ingest;
mod reconnect;
mod store;

use std::{fs, time::Duration};

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

pub(crate) use self::store::Engine;
use crate::report;

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Part {
    /// Events a second and commit latency, against bare insert loops.
    Ingest,
    /// Latency to a hundred subscribers, with and without ten that stall.
    Fanout,
    /// How long 2,000 agents take to stream again after a restart of the collector, and its memory.
    Reconnect,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Of each measurement.
    pub(crate) time: Duration,
    /// Measurements of each kind, interleaved.
    pub(crate) rounds: usize,
    /// Agents that reconnect.
    pub(crate) agents: usize,
}

/// Measures `parts`, or all of them, on `engines`, or both.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(crate) fn run(parts: &[Part], engines: &[Engine], extent: Extent) -> Result<()> {
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    let engines = match engines {
        [] => &[Engine::Sqlite, Engine::Postgres],
        engines => engines,
    };
    let mut measured = Map::new();
    for &engine in engines {
        let mut of_engine = Map::new();
        if wanted(Part::Ingest) {
            of_engine.insert("ingest".into(), ingest::run(engine, extent)?);
        }
        if wanted(Part::Fanout) {
            of_engine.insert("fanout".into(), fanout::run(engine, extent)?);
        }
        if wanted(Part::Reconnect) {
            of_engine.insert("reconnect".into(), reconnect::run(engine, extent)?);
        }
        measured.insert(engine.name().into(), Value::Object(of_engine));
    }
    measured.insert("machine".into(), report::machine()?);
    let path = report::path("delivery.json")?;
    fs::write(&path, format!("{:#}\n", Value::Object(measured)))?;
    println!("written to {}", path.display());
    Ok(())
}

/// Where agents and subscribers are played.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}
