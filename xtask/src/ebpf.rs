//! Builds the kernel programs and puts the object where the agent embeds it from.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{command, compiler::Compiler, tools::BPF_LINKER, workspace::Workspace};

const TARGET: &str = "bpfel-unknown-none";
const PROGRAMS: &str = "picket-programs";
/// What the benchmark measures them against, and by.
const BENCH_PROGRAMS: &str = "bench-programs";
/// Types for the verifier's messages and for relocation, and the instruction set of kernel 5.12.
const FLAGS: [&str; 3] = ["-Cdebuginfo=2", "-Clink-arg=--btf", "-Ctarget-cpu=v3"];

/// Builds the programs; what is fresh is cargo's to decide.
///
/// # Errors
/// The toolchain is not there, or the programs do not build.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    command::run(
        cargo(workspace, "build", false)?.args(["--bin", PROGRAMS, "--bin", BENCH_PROGRAMS]),
        "fix what the compiler says about agent-ebpf",
    )?;
    let built = folder(workspace).join(TARGET).join("release");
    publish(&built.join(PROGRAMS), &workspace.programs())?;
    publish(&built.join(BENCH_PROGRAMS), &workspace.bench_programs())
}

/// Runs clippy on the programs, for the target they are made for.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    command::run(
        cargo(workspace, "clippy", true)?.args(["--", "--deny", "warnings"]),
        "fix what clippy says about agent-ebpf",
    )
}

fn cargo(workspace: &Workspace, subcommand: &str, lint: bool) -> Result<Command> {
    let Some(compiler) = Compiler::find(lint) else {
        bail!(
            "cannot compile the kernel programs: no compiler for {TARGET} is installed; \
             run `cargo xtask setup{}`",
            if lint { " --lint" } else { "" }
        );
    };
    if !BPF_LINKER.is_installed()? {
        bail!(
            "cannot link the kernel programs: {} {} is not at {}, or does not start; \
             run `cargo xtask setup`",
            BPF_LINKER.name,
            BPF_LINKER.version,
            BPF_LINKER.path()?.display()
        );
    }
    let mut cargo = compiler.cargo(subcommand);
    cargo
        .current_dir(&workspace.root)
        .args(["--package", "agent-ebpf", "--release"])
        .args(["--target", TARGET, "-Zbuild-std=core"])
        .arg("--target-dir")
        .arg(folder(workspace))
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", BPF_LINKER.path()?);
    Ok(cargo)
}

fn folder(workspace: &Workspace) -> std::path::PathBuf {
    workspace.target.join("bpf-build")
}

/// Copies `built` to `published` in one step, and only if it differs: the agent is then not rebuilt.
fn publish(built: &Path, published: &Path) -> Result<()> {
    let object = fs::read(built)
        .with_context(|| format!("cannot read the kernel programs at {}", built.display()))?;
    if fs::read(published).is_ok_and(|old| old == object) {
        return Ok(());
    }
    let written = || {
        fs::create_dir_all(published.parent().unwrap_or(published))?;
        let fresh = published.with_extension("new");
        fs::write(&fresh, &object)?;
        fs::rename(&fresh, published)
    };
    written().with_context(|| format!("cannot write {}", published.display()))
}
