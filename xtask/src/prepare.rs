//! What every command that runs the lab does first.

use anyhow::Result;

use crate::{
    command, ebpf, privilege,
    setup::{self, Needs},
    workspace::Workspace,
};

/// Needs root for `command`, because of `why`; installs what the lab needs and what else `needs` names, and builds the
/// programs and then all binaries with `arguments`: with `--tests`, with the same features as the tests, so that nothing
/// is built twice.
pub(crate) fn lab(command: &str, why: &str, arguments: &[&str], needs: Needs) -> Result<Workspace> {
    privilege::require_root(command, why)?;
    build(arguments, Needs { lab: true, ..needs })
}

/// The same for commands that run the lab in virtual machines, which needs no root.
pub(crate) fn machines() -> Result<Workspace> {
    build(
        &[],
        Needs {
            lab: true,
            machines: true,
            ..Needs::default()
        },
    )
}

fn build(arguments: &[&str], needs: Needs) -> Result<Workspace> {
    setup::run(needs)?;
    let workspace = Workspace::load()?;
    ebpf::build(&workspace)?;
    command::run(
        command::cargo()
            .current_dir(&workspace.root)
            .args(["build", "--workspace", "--bins"])
            .args(arguments),
        "fix what the compiler says",
    )?;
    Ok(workspace)
}
