//! Runs a benchmark of the lab on release binaries.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{
    command, ebpf, privilege,
    setup::{self, Needs},
    test,
    workspace::Workspace,
};

/// Without a name, the lab lists its benchmarks.
pub(crate) fn run(name: Option<&str>, arguments: &[OsString]) -> Result<()> {
    privilege::require_root(
        "bench",
        "it makes network namespaces and loads programs into the kernel",
    )?;
    setup::run(Needs {
        lab: true,
        lint: false,
    })?;
    let workspace = Workspace::load()?;
    ebpf::build(&workspace)?;
    test::build_binaries(&workspace, &["--release"])?;
    Err(command::become_command(
        Command::new(workspace.target.join("release/bench"))
            .args(name)
            .args(arguments)
            .current_dir(&workspace.root),
    ))
}
