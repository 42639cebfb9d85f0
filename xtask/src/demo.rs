//! Shows a scan, from the packet to the subscriber.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{
    command, ebpf, privilege,
    setup::{self, Needs},
    test,
    workspace::Workspace,
};

/// Builds what the demo shows and becomes the demo, so that Ctrl-C and the exit code are the demo's own.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    privilege::require_root(
        "demo",
        "it makes network namespaces and loads programs into the kernel",
    )?;
    setup::run(Needs {
        lab: true,
        lint: false,
    })?;
    let workspace = Workspace::load()?;
    ebpf::build(&workspace)?;
    test::build_binaries(&workspace, &[])?;
    Err(command::become_command(
        Command::new(workspace.target.join("debug/demo")).args(arguments),
    ))
}
