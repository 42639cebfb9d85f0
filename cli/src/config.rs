//! `picket config`: whether a policy can be used, and which one is in force where.

mod show;
mod validate;

use std::{path::PathBuf, time::SystemTime};

use clap::{Args, Subcommand};

use crate::{
    failure::RunError,
    output::Output,
    server::{Server, ServerError},
};

pub(crate) use validate::ValidateError;

#[derive(Args, Debug)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check how the detectors are set, and say of each line that cannot be used why.
    Validate {
        /// A policy, a configuration of an agent, or a ConfigMap with one of them.
        file: PathBuf,
    },
    /// Print which policy is in force on which node.
    Show(ShowArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ShowArguments {
    /// Only of this node, with its exceptions.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    /// Print one JSON object a line: what the collector tells, then each node.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(
    server: Result<Server, ServerError>,
    arguments: ConfigArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), RunError> {
    match arguments.command {
        ConfigCommand::Validate { file } => validate::run(&file, now, output),
        ConfigCommand::Show(arguments) => show::run(&server?, &arguments, output).await,
    }
}
