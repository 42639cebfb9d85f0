//! kubernetes-validate, which has the schemas of all versions of Kubernetes, among Python packages of its own.

use std::{fs, os::unix::fs::symlink, process::Command};

use anyhow::{Context as _, Result};

use super::{plan::Step, python};
use crate::{
    command,
    tools::{self, Fetched, KUBERNETES_VALIDATE},
};

/// The step that installs it, unless our version is there and starts.
pub(super) fn step() -> Result<Option<Step>> {
    let printed = command::probe(Command::new(KUBERNETES_VALIDATE.path()?).arg("--version"));
    if printed.is_some_and(|it| it.contains(KUBERNETES_VALIDATE.version)) {
        return Ok(None);
    }
    Ok(Some(Step {
        what: format!(
            "{} {}, by pip",
            KUBERNETES_VALIDATE.name, KUBERNETES_VALIDATE.version
        ),
        needs_root: false,
        install: Box::new(install),
    }))
}

fn install() -> Result<()> {
    let folder = tools::cache()?.join("tools/kubernetes-validate");
    let Fetched { name, version } = KUBERNETES_VALIDATE;
    let programs = python::install(&folder, &[(name, version)])?;
    let link = KUBERNETES_VALIDATE.path()?;
    if let Some(folder) = link.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    if link.is_symlink() {
        fs::remove_file(&link).with_context(|| format!("cannot replace {}", link.display()))?;
    }
    symlink(programs.join(KUBERNETES_VALIDATE.name), &link)
        .with_context(|| format!("cannot make {}", link.display()))
}
