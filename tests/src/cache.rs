//! Where `cargo xtask setup` puts what it builds or fetches.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// The file at `path` below the folder of Picket's own.
///
/// # Errors
/// When it is not there.
pub fn cached(path: &str) -> Result<PathBuf> {
    let path = cache()?.join("picket").join(path);
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
