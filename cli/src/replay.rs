//! `picket replay`: `picket-agent replay` runs the capture through its programs, and this prints the events.

use std::ffi::OsString;

use crate::{
    agent::Agent, arguments::ReplayArguments, events::Printer, failure::RunError, output::Output,
};

pub(crate) fn run(arguments: ReplayArguments, output: &mut Output) -> Result<(), RunError> {
    let mut printer = Printer::new(output, arguments.json, None);
    let mut agent = Agent::start(&command_line(arguments))?;
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
