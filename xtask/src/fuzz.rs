//! Fuzzes the programs' parser, compiled for this machine, against the oracle's.

use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::{
    command,
    compiler::{Compiler, NIGHTLY},
    setup::{self, Needs},
    tools::CARGO_FUZZ,
    workspace::Workspace,
};

const FOLDER: &str = "tests/fuzz";
const TARGET: &str = "parser";
/// Room for a chain of long IPv6 extension headers.
const LONGEST: u32 = 4096;

/// Fuzzes for `seconds`; what was found before, and packets that are made anew, are where it starts.
pub(crate) fn run(seconds: u32) -> Result<()> {
    setup::run(Needs {
        fuzz: true,
        ..Needs::default()
    })?;
    if Compiler::find(false) != Some(Compiler::Nightly) {
        bail!(
            "the fuzzer takes the sanitizers of {NIGHTLY}, which rustup installs and Debian's \
             compiler lacks; install rustup, then run `cargo xtask fuzz` again"
        );
    }
    let workspace = Workspace::load()?;
    let (corpus, findings) = (
        workspace.target.join("fuzz/corpus"),
        workspace.target.join("fuzz/findings"),
    );
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let tool = CARGO_FUZZ.path()?;
    let path = env::var_os("PATH").unwrap_or_default();
    let path = tool
        .parent()
        .map(Into::into)
        .into_iter()
        .chain(env::split_paths(&path));
    command::run(
        Compiler::Nightly
            .cargo("fuzz")
            .current_dir(&workspace.root)
            .env("PATH", env::join_paths(path)?)
            .env("PICKET_SEEDS", &corpus)
            .args(["run", "--fuzz-dir", FOLDER, "--target-dir"])
            .arg(workspace.target.join("fuzz-build"))
            .arg(TARGET)
            .arg(&corpus)
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-artifact_prefix={}/", findings.display()))
            .args(["-verbosity=0", "-print_final_stats=1"]),
        "run the input that it names through the parser, and fix what it shows",
    )
}
