//! What drives a browser through the page: Node's packages, as the page's own lock file names them. The browser is a
//! package of Debian's.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use anyhow::{Context as _, Result};

use super::plan::Step;
use crate::{command, node, tools, workspace::Workspace};

const SOURCE: &str = "collector/web";
const LOCK: &str = "package-lock.json";
const FILES: [&str; 3] = ["package.json", LOCK, ".npmrc"];
const AGAIN: &str = "when the package source is back, run `cargo xtask setup` again";

/// The step that installs them, unless they are there.
pub(super) fn step() -> Result<Option<Step>> {
    let (source, folder) = (Workspace::load()?.root.join(SOURCE), folder()?);
    let same = fs::read(source.join(LOCK)).ok() == fs::read(folder.join(LOCK)).ok();
    if same && folder.join("node").exists() {
        return Ok(None);
    }
    Ok(Some(Step {
        what: "what drives a browser through the page, by npm".into(),
        needs_root: false,
        install: Box::new(move || {
            if folder.exists() {
                fs::remove_dir_all(&folder)
                    .with_context(|| format!("cannot empty {}", folder.display()))?;
            }
            let fresh = folder.with_extension("fresh");
            fs::create_dir_all(&fresh)
                .with_context(|| format!("cannot make {}", fresh.display()))?;
            for file in FILES {
                fs::copy(source.join(file), fresh.join(file))
                    .with_context(|| format!("cannot copy {file} to {}", fresh.display()))?;
            }
            command::run(node::npm()?.current_dir(&fresh).arg("ci"), AGAIN)?;
            let mut node = node::node()?;
            let node = command::read(node.args(["-p", "process.execPath"]), AGAIN)?;
            symlink(node.trim(), fresh.join("node"))
                .with_context(|| format!("cannot link Node in {}", fresh.display()))?;
            fs::rename(&fresh, &folder).with_context(|| format!("cannot make {}", folder.display()))
        }),
    }))
}

/// Where the tests find them.
fn folder() -> Result<PathBuf> {
    Ok(tools::cache()?.join("page"))
}
