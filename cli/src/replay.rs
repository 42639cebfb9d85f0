//! `picket replay`: `picket-agent replay` runs the capture through its programs, and this prints the events.

mod meter;

use std::{ffi::OsString, io, path::PathBuf};

use clap::Args;
use thiserror::Error;

use self::meter::Meter;
use crate::{
    agent::{Agent, AgentError},
    events::Printer,
    form::FormArguments,
    output::Output,
};

#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    /// Capture to replay: pcap or pcapng.
    file: PathBuf,

    /// MAC or IP address that tells the pod's packets from all others; may be repeated.
    ///
    /// Without, the MAC address that takes part in all packets, or else the IP address that takes part
    /// in most.
    #[arg(long, value_name = "ADDRESS")]
    pod: Vec<String>,

    /// Configuration of an agent, whose thresholds to try.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// YAML file that names the pods by their addresses.
    #[arg(long, value_name = "FILE")]
    pod_table: Option<PathBuf>,

    #[command(flatten)]
    form: FormArguments,
}

#[derive(Debug, Error)]
pub enum ReplayError {
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

pub(crate) fn run(arguments: ReplayArguments, output: &mut Output) -> Result<(), ReplayError> {
    let mut printer = Printer::new(output, arguments.form.form(), None);
    let file = arguments.file.clone();
    let mut agent = Agent::start(&command_line(arguments))?;
    let _meter = Meter::start(agent.id(), &file);
    while let Some(event) = agent.event()? {
        printer.event(&event)?;
        printer.flush()?;
    }
    Ok(())
}

fn command_line(arguments: ReplayArguments) -> Vec<OsString> {
    let mut line = Vec::new();
    let mut push = |flag: &str, value: OsString| line.extend([flag.into(), value]);
    if let Some(config) = arguments.config {
        push("--config", config.into());
    }
    if let Some(table) = arguments.pod_table {
        push("--pod-table", table.into());
    }
    line.push("replay".into());
    for address in arguments.pod {
        line.extend(["--pod".into(), address.into()]);
    }
    line.extend(["--".into(), arguments.file.into()]);
    line
}
