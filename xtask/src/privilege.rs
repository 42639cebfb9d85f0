//! Whether we are root, and the clear refusal when we must be.

use std::{fs, os::unix::fs::MetadataExt as _};

use anyhow::{Result, bail};

/// Whether this process runs as root: the kernel makes its `/proc` entry belong to the effective user.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// # Errors
/// We are not root; the message says why `task` must be, and how.
pub(crate) fn require_root(task: &str, reason: &str) -> Result<()> {
    if !is_root() {
        bail!("{}", refusal(task, reason));
    }
    Ok(())
}

pub(crate) fn refusal(task: &str, reason: &str) -> String {
    format!(
        "`cargo xtask {task}` needs root: {reason}; \
         run it as `sudo -E env \"PATH=$PATH\" cargo xtask {task}`"
    )
}
