//! Installs what the other commands need: plans first, says what it will do, and does it once.

mod packages;
mod plan;
mod toolchain;

use anyhow::Result;

use self::plan::Step;
use crate::{
    privilege,
    tools::{BPF_LINKER, CARGO_DENY, Tool},
};

/// What is needed beyond building: the tools of the lab, the tools of `lint`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    pub(crate) lab: bool,
    pub(crate) lint: bool,
}

/// Installs what is missing, and nothing else.
///
/// # Errors
/// Something cannot be installed here; the message says what to do by hand.
pub(crate) fn run(needs: Needs) -> Result<()> {
    let mut steps = Vec::new();
    steps.extend(packages::step(needs.lab)?);
    steps.extend(toolchain::step(needs.lint));
    if needs.lint {
        steps.extend(toolchain::lint_step());
    }
    steps.extend(tool(&BPF_LINKER)?);
    if needs.lint {
        steps.extend(tool(&CARGO_DENY)?);
    }
    plan::perform(steps, privilege::is_root())
}

fn tool(tool: &'static Tool) -> Result<Option<Step>> {
    if tool.is_installed()? {
        return Ok(None);
    }
    Ok(Some(Step {
        what: format!("{} {}, built from source", tool.name, tool.version),
        needs_root: false,
        install: Box::new(|| tool.install()),
    }))
}
