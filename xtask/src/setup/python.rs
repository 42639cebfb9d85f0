//! Python packages of one exact version, apart from those of the machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::command;

pub(super) const AGAIN: &str = "when the package source is back, run `cargo xtask setup` again";

/// Installs them into `folder`, which is emptied first; where their programs are.
pub(super) fn install(folder: &Path, packages: &[(&str, &str)]) -> Result<PathBuf> {
    command::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder),
        AGAIN,
    )?;
    let programs = folder.join("bin");
    let packages = packages
        .iter()
        .map(|(name, version)| format!("{name}=={version}"));
    command::run(
        Command::new(programs.join("pip"))
            .args(["--disable-pip-version-check", "install", "--quiet"])
            .args(packages),
        AGAIN,
    )?;
    Ok(programs)
}
