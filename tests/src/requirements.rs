//! What the lab needs of the machine, said at once.

use std::env;

use anyhow::{Result, bail};

/// Makes missing root a failure instead of a skip.
const REQUIRE_ROOT: &str = "PICKET_REQUIRE_ROOT";

/// Whether a test that needs root must be skipped; says so on standard error.
///
/// # Panics
/// When root is missing and `PICKET_REQUIRE_ROOT` is `1`.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
pub fn without_root() -> bool {
    let Err(reason) = require_root() else {
        return false;
    };
    assert!(
        env::var_os(REQUIRE_ROOT).is_none_or(|value| value != "1"),
        "{reason}, and {REQUIRE_ROOT}=1 forbids skipping"
    );
    eprintln!("skipped: {reason}");
    true
}

/// Whether this process may make network namespaces and load programs.
///
/// # Errors
/// When it is not root.
pub fn require_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    bail!("network namespaces and BPF need root: run the same command with sudo");
}

/// Whether `tools` can be found.
///
/// # Errors
/// Names those that cannot, and how to get them.
pub fn require_tools(tools: &[&str]) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing = tools.iter().filter(|tool| {
        let mut directories = env::split_paths(&path);
        !directories.any(|directory| directory.join(tool).is_file())
    });
    let missing: Vec<_> = missing.copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "{} not found: run `cargo xtask setup`, which installs what the lab needs",
        missing.join(", ")
    );
}
