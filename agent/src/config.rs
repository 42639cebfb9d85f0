//! From flags, environment and file to a configuration that is valid as a whole.

mod args;
mod error;
mod file;
mod follow;
mod log;
mod origin;
mod security;
mod setting;
mod sources;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use agent_common::{BUCKET_COUNT, BUCKET_WAYS};
use api::{
    policy::{AGENT_KEYS, Policy, Time},
    transport::{Listen, Remote},
};
use clap::ArgMatches;

pub use args::{Args, Command};
pub use error::ConfigError;
pub use follow::Follower;
pub use log::{Log, LogFormat};
pub use origin::Origin;
pub use security::{Secrets, Secured};

use crate::{datapath, deliver::Spooling, interfaces::Selection};
use file::File;
use setting::Setting;
use sources::Sources;

/// What the table from interface to slot has room for.
const MOST_SLOTS: u32 = BUCKET_COUNT * BUCKET_WAYS as u32;
const MOST_SAMPLE_RATE: u32 = 65_536;
/// Sixteen of the smallest segments.
const LEAST_SPOOL_BYTES: u64 = 1024 * 1024;
const SHORTEST_TICK: Duration = Duration::from_millis(10);
const SHORTEST_CANARY: Duration = Duration::from_secs(10);
const LONGEST_CANARY: Duration = Duration::from_secs(5 * 60);
const LONGEST_TICK: Duration = Duration::from_secs(60);
/// All that the agent is told before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the node.
    pub node: String,
    /// Where events are delivered to; none when the agent stands alone.
    pub collector: Option<Remote>,
    /// Where events wait for the collector.
    pub spooling: Spooling,
    /// Where the agent's own gRPC is served.
    pub listen: Vec<Listen>,
    /// What is said and believed beyond this machine.
    pub secrets: Secrets,
    /// Where metrics and health are served over HTTP.
    pub metrics: SocketAddr,
    /// The node's pods, when no collector tells them.
    pub pod_table: Option<PathBuf>,
    /// Where it is kept whose the interfaces are.
    pub identity: Option<PathBuf>,
    /// Where what is usual is kept.
    pub baselines: Option<PathBuf>,
    /// Where the policy is kept that the collector told.
    pub kept_policy: Option<PathBuf>,
    /// Which interfaces are watched.
    pub interfaces: Selection,
    /// How slots are set up and programs are attached.
    pub datapath: datapath::Config,
    /// How often slots are drained.
    pub tick: Duration,
    /// How often the agent scans itself; never, when there is none.
    pub canary: Option<Duration>,
    /// How the detectors are set, and for which pods.
    pub policy: Policy,
    /// What is logged, and how.
    pub log: Log,
}

impl Config {
    /// Reads all sources: flags win over the environment, that over the file, that over defaults.
    ///
    /// `matches` are those of [`Args`].
    ///
    /// # Errors
    /// Names the first value that cannot be used, what its key takes, and where it came from.
    pub fn read(matches: &ArgMatches) -> Result<Self, ConfigError> {
        let file = match matches.get_one::<String>("config") {
            Some(path) => File::read(path.as_ref())?,
            None => File::default(),
        };
        Self::assemble(&Sources { matches, file })
    }

    fn assemble(sources: &Sources<'_>) -> Result<Self, ConfigError> {
        let file = &sources.file;
        Ok(Self {
            node: sources.node()?,
            collector: sources
                .one("collector", &file.collector)
                .map(|setting| setting.parse())
                .transpose()?,
            spooling: Spooling {
                place: sources.given("spool", &file.spool).spool(),
                capacity_bytes: sources
                    .given("spool_bytes", &file.spool_bytes)
                    .bytes(LEAST_SPOOL_BYTES)?,
            },
            listen: sources
                .several("listen", &file.listen)
                .iter()
                .map(Setting::parse)
                .collect::<Result<_, _>>()?,
            secrets: sources.secrets()?,
            metrics: sources.given("metrics", &file.metrics).address()?,
            pod_table: sources
                .one("pod_table", &file.pod_table)
                .map(|setting| setting.path())
                .transpose()?,
            identity: sources
                .one("identity", &file.identity)
                .map(|setting| setting.path())
                .transpose()?,
            baselines: sources
                .one("baselines", &file.baselines)
                .map(|setting| setting.path())
                .transpose()?,
            kept_policy: sources
                .one("policy", &file.policy)
                .map(|setting| setting.path())
                .transpose()?,
            interfaces: sources.interfaces()?,
            datapath: datapath::Config {
                slots: sources.given("slots", &file.slots).number(1, MOST_SLOTS)?,
                sample_rate: sources
                    .given("sample_rate", &file.sample_rate)
                    .number(1, MOST_SAMPLE_RATE)?,
                samples_per_drain: datapath::SAMPLES_PER_DRAIN,
                attach: sources.given("attach", &file.attach).parse()?,
                pin: sources.given("pin", &file.pin).pin(),
                seed: None,
                kernel_log: sources.given("kernel_log", &file.kernel_log).choice(&[
                    ("off", None),
                    ("error", Some(::log::Level::Error)),
                    ("warn", Some(::log::Level::Warn)),
                    ("info", Some(::log::Level::Info)),
                    ("debug", Some(::log::Level::Debug)),
                    ("trace", Some(::log::Level::Trace)),
                ])?,
            },
            tick: sources
                .given("tick", &file.tick)
                .duration(SHORTEST_TICK, LONGEST_TICK)?,
            canary: sources
                .given("canary", &file.canary)
                .unless_off(SHORTEST_CANARY, LONGEST_CANARY)?,
            // An exception that ended while the agent was away is no reason to stay away.
            policy: Policy::read(&file.path, &file.text, Time::Before, AGENT_KEYS)?,
            log: Log::new(
                &sources.given("log", &file.log),
                &sources.given("log_format", &file.log_format),
            )?,
        })
    }
}

#[cfg(test)]
mod tests;
