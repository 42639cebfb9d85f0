//! The chart, as helm sees it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{command, tools::HELM, workspace::Workspace};

pub(super) const NAMESPACE: &str = "picket";

pub(super) struct Chart {
    helm: PathBuf,
    folder: PathBuf,
}

impl Chart {
    pub(super) fn of(workspace: &Workspace) -> Result<Self> {
        Ok(Self {
            helm: HELM.path()?,
            folder: workspace.root.join("deploy/chart/picket"),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// # Errors
    /// When helm has a complaint, or only a warning.
    pub(super) fn lint(&self, values: &Path) -> Result<()> {
        let mut lint = Command::new(&self.helm);
        lint.args(["lint", "--strict", "--quiet", "--namespace", NAMESPACE])
            .arg("--values")
            .arg(values)
            .arg(&self.folder);
        command::read(&mut lint, "correct the chart, or the values").map(drop)
    }

    /// What is made of `values`, with `set` on top.
    pub(super) fn render(&self, values: &Path, set: &[&str]) -> Result<String> {
        let mut template = self.template(values);
        template.args(set.iter().flat_map(|set| ["--set", *set]));
        command::read(&mut template, "correct the chart, or the values")
    }

    /// The same on a cluster that may hold some of it already.
    pub(super) fn upgrade(&self, values: &Path, set: &[&str], server: &str) -> Result<String> {
        let mut template = self.template(values);
        template
            .args(set.iter().flat_map(|set| ["--set", *set]))
            .args([
                "--is-upgrade",
                "--dry-run=server",
                "--disable-openapi-validation",
            ])
            .args(["--kube-apiserver", server])
            // No other cluster of whoever runs this.
            .env("KUBECONFIG", "/dev/null");
        command::read(&mut template, "correct the chart, or the values")
    }

    /// Why `values` are refused.
    ///
    /// # Errors
    /// When they are not.
    pub(super) fn refusal(&self, values: &Path) -> Result<String> {
        let output = self.template(values).output();
        let output = output.context("cannot start helm; run `cargo xtask setup --lint`")?;
        if output.status.success() {
            bail!("the chart takes {}, and must not", values.display());
        }
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn template(&self, values: &Path) -> Command {
        let mut template = Command::new(&self.helm);
        template
            .args(["template", "picket", "--namespace", NAMESPACE, "--values"])
            .arg(values)
            .arg(&self.folder);
        template
    }
}
