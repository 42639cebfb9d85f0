//! Where the programs of Kubernetes are, which `cargo xtask setup` builds or fetches.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// The path of a program of Kubernetes', or of `kubectl` or `helm`.
pub(super) fn program(name: &str) -> Result<PathBuf> {
    let folder = match name {
        "kubectl" | "helm" => "tools/bin",
        _ => "kubernetes",
    };
    let path = cache()?.join("picket").join(folder).join(name);
    if !path.is_file() {
        bail!(
            "there is no {}: run `cargo xtask setup`, which builds or fetches it",
            path.display()
        );
    }
    Ok(path)
}

fn cache() -> Result<PathBuf> {
    match env::var_os("XDG_CACHE_HOME") {
        Some(cache) if !cache.is_empty() => Ok(cache.into()),
        _ => {
            let home = env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
            Ok(Path::new(&home).join(".cache"))
        }
    }
}
