//! `picket config`: whether a policy can be used, and which one is in force where.

mod failure;
mod show;
mod validate;

use std::{path::PathBuf, time::SystemTime};

use clap::{Args, Subcommand};

use crate::{
    output::Output,
    server::{Server, ServerError},
};

pub(crate) use failure::ConfigError;

#[derive(Args, Debug)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

impl ConfigArguments {
    pub(crate) const fn asks_a_server(&self) -> bool {
        matches!(self.command, ConfigCommand::Show(_))
    }
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check how the detectors are set, and say of each line that cannot be used why.
    Validate {
        /// A policy, a configuration of an agent, or a ConfigMap with one of them.
        file: PathBuf,
    },
    /// Print which policy is in force on which node.
    Show(show::ShowArguments),
}

pub(crate) async fn run(
    server: Result<Server, ServerError>,
    arguments: ConfigArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), ConfigError> {
    match arguments.command {
        ConfigCommand::Validate { file } => validate::run(&file, now, output),
        ConfigCommand::Show(arguments) => show::run(&server?, &arguments, output).await,
    }
}
