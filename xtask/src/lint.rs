//! Everything that can be said about the code without running it.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{
    command, ebpf, manifests, page,
    setup::{self, Needs},
    tidy,
    tools::CARGO_DENY,
    workspace::Workspace,
};

const UNREACHABLE: &str = "failed to fetch advisory database";

pub(crate) fn run() -> Result<()> {
    setup::run(Needs {
        lint: true,
        manifests: true,
        page: true,
        ..Needs::default()
    })?;
    let workspace = Workspace::load()?;
    tidy::run(&workspace)?;
    command::run(
        command::cargo()
            .current_dir(&workspace.root)
            .args(["fmt", "--all", "--check"]),
        "run `cargo fmt --all`",
    )?;
    command::run(
        command::cargo()
            .current_dir(workspace.root.join("tests/fuzz"))
            .args(["fmt", "--check"]),
        "run `cargo fmt` there",
    )?;
    deny(&workspace)?;
    manifests::check(&workspace)?;
    page::check(&workspace)?;
    ebpf::build(&workspace)?;
    ebpf::lint(&workspace)?;
    command::run(
        command::cargo()
            .current_dir(&workspace.root)
            .args(["clippy", "--workspace", "--all-targets", "--"])
            .args(["--deny", "warnings"]),
        "fix what clippy says",
    )
}

fn deny(workspace: &Workspace) -> Result<()> {
    command::run(
        check(workspace)?.args(["bans", "licenses", "sources"]),
        "change the dependency, or .cargo/deny.toml with a reason",
    )?;
    advisories(workspace)
}

/// The advisories are fetched from the network; a machine that cannot is told so, and not stopped.
fn advisories(workspace: &Workspace) -> Result<()> {
    let output = check(workspace)?
        .arg("advisories")
        .output()
        .context("cannot start cargo-deny; run `cargo xtask setup --lint`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        eprintln!("advisories ok");
    } else if said.contains(UNREACHABLE) {
        eprintln!("warning: advisories NOT checked: their database cannot be fetched from here");
    } else {
        bail!(
            "cargo deny found advisories; update the crate, or say why not in .cargo/deny.toml:\n{said}"
        );
    }
    Ok(())
}

fn check(workspace: &Workspace) -> Result<Command> {
    let mut check = Command::new(CARGO_DENY.path()?);
    check
        .current_dir(&workspace.root)
        .args(["--workspace", "--all-features", "check"]);
    Ok(check)
}
