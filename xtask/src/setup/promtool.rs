//! promtool, out of Debian's package of Prometheus, whose service is not installed.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};

use super::{packages, plan::Step};
use crate::{
    command,
    tools::{self, PROMTOOL},
};

const PACKAGE: &str = "prometheus";
const AGAIN: &str = "when the package source is back, run `cargo xtask setup` again";

/// The step that fetches it, unless it is there and starts.
pub(super) fn step() -> Result<Option<Step>> {
    if command::probe(Command::new(tools::program(PROMTOOL)?).arg("--version")).is_some() {
        return Ok(None);
    }
    Ok(Some(Step {
        what: format!("{PROMTOOL}, of the package {PACKAGE}"),
        needs_root: true,
        install: Box::new(install),
    }))
}

fn install() -> Result<()> {
    let fresh = tools::cache()?.join("promtool-fresh");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("cannot empty {}", fresh.display()))?;
    }
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    command::run(packages::apt_get().arg("update"), AGAIN)?;
    command::run(
        packages::apt_get()
            .current_dir(&fresh)
            .args(["--option", "APT::Sandbox::User=root"])
            .args(["download", PACKAGE]),
        AGAIN,
    )?;
    let names = tools::names(&fresh)?;
    let Some(archive) = names.iter().find(|name| name.ends_with(".deb")) else {
        bail!(
            "apt-get downloaded no package into {}; {AGAIN}",
            fresh.display()
        );
    };
    command::run(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(fresh.join(archive))
            .arg(&fresh),
        AGAIN,
    )?;
    let (from, to) = (
        fresh.join("usr/bin").join(PROMTOOL),
        tools::program(PROMTOOL)?,
    );
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::rename(&from, &to).with_context(|| format!("cannot put promtool at {}", to.display()))?;
    fs::remove_dir_all(&fresh).with_context(|| format!("cannot remove {}", fresh.display()))
}
