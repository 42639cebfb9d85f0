//! Where the programs of Kubernetes are, which `cargo xtask setup` builds or fetches.

use std::path::PathBuf;

use anyhow::Result;

use crate::cache::cached;

/// The path of a program of Kubernetes', or of `kubectl` or `helm`.
pub(super) fn program(name: &str) -> Result<PathBuf> {
    let folder = match name {
        "kubectl" | "helm" => "tools/bin",
        _ => "kubernetes",
    };
    cached(&format!("{folder}/{name}"))
}
