//! Where results go, and on what machine they were taken.

use std::{
    env, fs,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// `bench/NAME` in the target directory this was built into.
pub(crate) fn path(name: &str) -> Result<PathBuf> {
    let directory = target()?.join("bench");
    fs::create_dir_all(&directory)?;
    Ok(directory.join(name))
}

/// The target directory this was built into.
pub(crate) fn target() -> Result<PathBuf> {
    let here = env::current_exe()?;
    let target = here.ancestors().nth(2).map(Path::to_path_buf);
    target.context("no target directory")
}

/// Kernel, processors and load.
pub(crate) fn machine() -> Result<Value> {
    Ok(json!({
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        "cpus": available_parallelism()?,
        "load": fs::read_to_string("/proc/loadavg")?.trim(),
    }))
}
