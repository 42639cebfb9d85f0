//! Runs every test, and lets none that needs root skip.

use std::ffi::OsString;

use anyhow::Result;

use crate::{command, prepare};

pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let workspace = prepare::lab(
        "test",
        "its tests make network namespaces and load programs into the kernel",
        &[],
    )?;
    Err(command::become_command(
        command::cargo()
            .current_dir(&workspace.root)
            .args(["test", "--workspace"])
            .args(arguments)
            .env("PICKET_REQUIRE_ROOT", "1"),
    ))
}
