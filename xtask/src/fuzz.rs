//! Fuzzes what reads bytes that anybody may have written: the programs' parser, compiled for this machine,
//! against the oracle's, and whatever else there is a target for.

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
/// Before the name of a target in its manifest.
const TARGET: &str = "[[bin]]\nname = \"";
/// Room for a chain of long IPv6 extension headers, and for some events.
const LONGEST: u32 = 4096;

/// Fuzzes each target, or one, for `seconds`.
pub(crate) fn run(seconds: u32, only: Option<&str>) -> Result<()> {
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
    let manifest = workspace.root.join(FOLDER).join("Cargo.toml");
    let manifest = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let all = targets(&manifest);
    let chosen: Vec<_> = all
        .iter()
        .filter(|target| only.is_none_or(|only| only == **target))
        .collect();
    if chosen.is_empty() {
        bail!("there is no such target: it is one of {}", all.join(", "));
    }
    for target in chosen {
        fuzz(&workspace, target, seconds)?;
    }
    Ok(())
}

fn targets(manifest: &str) -> Vec<&str> {
    let targets = manifest.split(TARGET).skip(1);
    targets
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect()
}

/// What was found before, and inputs that are made anew, are where it starts.
fn fuzz(workspace: &Workspace, target: &str, seconds: u32) -> Result<()> {
    let (corpus, findings) = (
        workspace.target.join("fuzz/corpus").join(target),
        workspace.target.join("fuzz/findings").join(target),
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
            .arg(target)
            .arg(&corpus)
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-artifact_prefix={}/", findings.display()))
            .args(["-verbosity=0", "-print_final_stats=1"]),
        "run the input that it names through the target, and fix what it shows",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_programs_of_the_manifest() {
        let manifest =
            "[package]\nname = \"fuzz\"\n\n[[bin]]\nname = \"one\"\n\n[[bin]]\nname = \"two\"\n";
        assert_eq!(targets(manifest), ["one", "two"]);
    }
}
