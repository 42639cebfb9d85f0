//! From flags, environment and file to a configuration that is valid as a whole.

mod args;
mod file;
mod log;
mod setting;
mod sources;

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use api::transport::{Listen, Remote};
use clap::ArgMatches;
use detect::Thresholds;

pub use args::Args;
pub use log::{Log, LogFormat};
pub use setting::Origin;

use crate::{datapath, interfaces::Selection};
use file::File;
use sources::Sources;

/// All that the agent is told before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the node.
    pub node: String,
    /// Where events are delivered to; none when the agent stands alone.
    pub collector: Option<Remote>,
    /// Where the agent's own gRPC is served.
    pub listen: Vec<Listen>,
    /// Where metrics and health are served over HTTP.
    pub metrics: SocketAddr,
    /// The node's pods, when no collector tells them.
    pub pod_table: Option<PathBuf>,
    /// Which interfaces are watched.
    pub interfaces: Selection,
    /// How slots are set up and programs are attached.
    pub datapath: datapath::Config,
    /// How often slots are drained.
    pub tick: Duration,
    /// What counts as a port scan.
    pub port_scan: Thresholds,
    /// What is logged, and how.
    pub log: Log,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: check --config and the permissions of the file", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The file says something it cannot.
    #[error("cannot use {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    /// A value is not one that its key takes.
    #[error("cannot use {key} = `{value}` {origin}: {reason}")]
    Value {
        key: &'static str,
        value: String,
        origin: Origin,
        reason: String,
    },
    /// No node was named and the host has no name either.
    #[error("cannot tell the name of the node, the host has none: give it with --node")]
    Node,
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
        Sources { matches, file }.config()
    }
}

#[cfg(test)]
mod tests;
