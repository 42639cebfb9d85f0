//! Interprets the tests of `agent-common` with miri.

use anyhow::{Result, bail};

use crate::{
    command,
    compiler::{Compiler, NIGHTLY},
    setup::{self, Needs},
    workspace::Workspace,
};

pub(crate) fn run() -> Result<()> {
    setup::run(Needs {
        miri: true,
        ..Needs::default()
    })?;
    if !Compiler::Nightly.has_miri() {
        bail!(
            "there is no miri: it comes with {NIGHTLY} by rustup only, and Debian's compiler has \
             none; install rustup, then run `cargo xtask test miri` again"
        );
    }
    let workspace = Workspace::load()?;
    // Not in a target directory that checkouts share: what miri builds names the one it was built in
    // (the working directory in cargo-miri's `CrateRunInfo`), and is not built anew for another.
    let target = workspace.root.join("target/miri-build");
    command::run(
        Compiler::Nightly
            .cargo("miri")
            .current_dir(&workspace.root)
            .args(["test", "--package", "agent-common"])
            .arg("--target-dir")
            .arg(target),
        "fix what miri says about agent-common",
    )
}
