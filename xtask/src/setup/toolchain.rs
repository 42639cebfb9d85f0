//! The compiler of the kernel programs, and the formatter and clippy of the host.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{packages, plan::Step};
use crate::{
    command,
    compiler::{Compiler, NIGHTLY},
    privilege,
};

/// Tries the dated nightly first and Debian's compiler second.
pub(super) fn step(lint: bool) -> Option<Step> {
    if Compiler::find(lint).is_some() {
        return None;
    }
    let debian = packages::COMPILER.join(" ");
    Some(if has_rustup() {
        Step {
            what: format!(
                "{NIGHTLY} with rust-src and clippy by rustup, or else packages: {debian}"
            ),
            needs_root: false,
            install: Box::new(move || {
                nightly()
                    .or_else(|error| fall_back(&error))
                    .and_then(|()| confirm(lint))
            }),
        }
    } else {
        Step {
            what: format!("packages: {debian}"),
            needs_root: true,
            install: Box::new(move || debian_packages().and_then(|()| confirm(lint))),
        }
    })
}

/// The host's own `cargo fmt` and `cargo clippy`, which rustup's minimal profile leaves out.
pub(super) fn lint_step() -> Option<Step> {
    let has = |name| command::probe(command::cargo().args([name, "--version"])).is_some();
    if has("fmt") && has("clippy") {
        return None;
    }
    Some(Step {
        what: "rustfmt and clippy".into(),
        needs_root: false,
        install: Box::new(|| {
            command::run(
                Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]),
                "install rustfmt and clippy the way you installed cargo",
            )
        }),
    })
}

/// The interpreter, which only the dated nightly has.
pub(super) fn miri_step() -> Option<Step> {
    if !has_rustup() || Compiler::Nightly.has_miri() {
        return None;
    }
    Some(Step {
        what: format!("miri of {NIGHTLY}"),
        needs_root: false,
        install: Box::new(|| {
            command::run(
                Command::new("rustup").args(["component", "add", "--toolchain", NIGHTLY, "miri"]),
                "when rustup reaches its server again, run the command again",
            )
        }),
    })
}

fn has_rustup() -> bool {
    command::probe(Command::new("rustup").arg("--version")).is_some()
}

fn nightly() -> Result<()> {
    command::run(
        Command::new("rustup")
            .args(["toolchain", "install", NIGHTLY, "--profile", "minimal"])
            .args(["--component", "rust-src", "--component", "clippy"])
            .arg("--no-self-update"),
        "Debian's compiler is next",
    )
}

fn confirm(lint: bool) -> Result<()> {
    if Compiler::find(lint).is_none() {
        bail!(
            "what was installed is no compiler with LLVM 22 and the sources of `core`; \
             install {NIGHTLY} with rust-src by rustup, then run `cargo xtask setup` again"
        );
    }
    Ok(())
}

fn fall_back(error: &anyhow::Error) -> Result<()> {
    eprintln!("setup: {error:#}");
    if !privilege::is_root() {
        bail!(
            "{}",
            privilege::refusal("setup", "rustup failed, and packages are the other way")
        );
    }
    debian_packages().context("neither rustup nor apt-get could install a compiler")
}

fn debian_packages() -> Result<()> {
    packages::install(&packages::missing(&packages::COMPILER)?)
}
