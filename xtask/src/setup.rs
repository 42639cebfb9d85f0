//! Installs what the other commands need: plans first, says what it will do, and does it once.

mod browser;
mod forms;
mod kubectl;
mod kubernetes;
mod needs;
mod node;
mod packages;
mod plan;
mod promtool;
mod python;
mod toolchain;
mod validator;

use anyhow::Result;

pub(crate) use self::needs::Needs;
use self::plan::Step;
use crate::{
    privilege,
    tools::{BPF_LINKER, CARGO_DENY, CARGO_FUZZ, Tool},
};

/// Installs what is missing, and nothing else.
///
/// # Errors
/// Something cannot be installed here; the message says what to do by hand.
pub(crate) fn run(needs: Needs) -> Result<()> {
    let mut steps = Vec::new();
    steps.extend(packages::step(needs)?);
    steps.extend(toolchain::step(needs.lint));
    if needs.lint {
        steps.extend(toolchain::lint_step());
    }
    if needs.miri {
        steps.extend(toolchain::miri_step());
    }
    steps.extend(tool(&BPF_LINKER)?);
    if needs.lint {
        steps.extend(tool(&CARGO_DENY)?);
    }
    if needs.manifests || needs.cluster {
        steps.extend(kubectl::step()?);
    }
    if needs.manifests {
        steps.extend(promtool::step()?);
        steps.extend(validator::step()?);
    }
    if needs.cluster {
        steps.extend(kubernetes::step()?);
    }
    if needs.page || needs.forms || needs.browser {
        steps.extend(node::step()?);
    }
    if needs.forms {
        steps.extend(forms::step()?);
    }
    if needs.browser {
        steps.extend(browser::step()?);
    }
    if needs.fuzz {
        steps.extend(tool(&CARGO_FUZZ)?);
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
