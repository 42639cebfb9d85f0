//! Shows a scan, from the packet to the subscriber.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{command, prepare, setup::Needs};

/// Builds what the demo shows and becomes the demo, so that Ctrl-C and the exit code are the demo's own.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let workspace = prepare::lab(
        "demo",
        "it makes network namespaces and loads programs into the kernel",
        &[],
        Needs::default(),
    )?;
    Err(command::become_command(
        Command::new(workspace.target.join("debug/demo")).args(arguments),
    ))
}
