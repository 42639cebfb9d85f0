//! The page's own scripts of `collector/web/tests/e2e`, which drive Debian's Chromium.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::cache::cached;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../collector/web/tests/e2e");
const CHROMIUM: &str = "/usr/bin/chromium";

/// The scripts, beside the packages that they need.
#[derive(Debug)]
pub struct Browser {
    node: PathBuf,
    folder: TempDir,
}

impl Browser {
    /// Lays them out.
    ///
    /// # Errors
    /// When the browser, Node or its packages are not installed.
    pub fn new() -> Result<Self> {
        ensure!(
            Path::new(CHROMIUM).exists(),
            "there is no {CHROMIUM}: run `cargo xtask test --test page`, which installs it"
        );
        let node = cached("page/node")?;
        let packages = node.with_file_name("node_modules");
        let folder = tempfile::tempdir()?;
        // Node looks for packages above where a script really is.
        symlink(&packages, folder.path().join("node_modules"))?;
        for script in fs::read_dir(SCRIPTS).with_context(|| format!("cannot list {SCRIPTS}"))? {
            let script = script?;
            fs::copy(script.path(), folder.path().join(script.file_name()))?;
        }
        Ok(Self { node, folder })
    }

    /// Node with `script`, as `inside` starts programs.
    pub fn command(&self, script: &str, inside: impl FnOnce(&Path) -> Command) -> Command {
        let mut command = inside(&self.node);
        command.arg(self.folder.path().join(script));
        command.env("CHROMIUM", CHROMIUM);
        command
    }
}
