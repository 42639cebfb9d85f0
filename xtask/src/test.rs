//! Runs every test, and lets none that needs root skip.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    command, ebpf, privilege,
    setup::{self, Needs},
    workspace::Workspace,
};

pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    privilege::require_root(
        "test",
        "its tests make network namespaces and load programs into the kernel",
    )?;
    setup::run(Needs {
        lab: true,
        lint: false,
    })?;
    let workspace = Workspace::load()?;
    ebpf::build(&workspace)?;
    build_binaries(&workspace, &[])?;
    Err(command::become_command(
        command::cargo()
            .current_dir(&workspace.root)
            .args(["test", "--workspace"])
            .args(arguments)
            .env("PICKET_REQUIRE_ROOT", "1"),
    ))
}

/// Builds the binaries that the lab starts, with the same features as the tests, so that nothing is built twice.
pub(crate) fn build_binaries(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    command::run(
        command::cargo()
            .current_dir(&workspace.root)
            .args(["build", "--workspace", "--bins"])
            .args(arguments),
        "fix what the compiler says",
    )
}
