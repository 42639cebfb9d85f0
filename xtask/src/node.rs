//! Node, which builds the page: the machine's own when it is new enough, or else ours.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{
    command,
    tools::{self, NODE},
};

/// This Node.
pub(crate) fn node() -> Result<Command> {
    if is_usable(&mut Command::new("node"), &mut Command::new("npm")) {
        return Ok(Command::new("node"));
    }
    Ok(Command::new(folder()?.join("bin/node")))
}

/// A command that finds this Node, and its npm, before any other.
pub(crate) fn npm() -> Result<Command> {
    let mut npm = Command::new("npm");
    if !is_usable(&mut Command::new("node"), &mut Command::new("npm")) {
        let programs = folder()?.join("bin");
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(
            [programs.clone()]
                .into_iter()
                .chain(env::split_paths(&path)),
        )?;
        npm = Command::new(programs.join("node"));
        npm.arg(cli(&folder()?)).env("PATH", path);
    }
    Ok(npm)
}

/// Whether there is one that can build the page.
pub(crate) fn is_there() -> Result<bool> {
    if is_usable(&mut Command::new("node"), &mut Command::new("npm")) {
        return Ok(true);
    }
    let (folder, node) = (folder()?, folder()?.join("bin/node"));
    let mut npm = Command::new(&node);
    npm.arg(cli(&folder)).arg("--version");
    Ok(is_usable(&mut Command::new(node), &mut npm))
}

/// Where ours is, once it is there: a link to what the Python package holds.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = tools::cache()?;
    Ok(folder.join(format!("tools/{}-{}", NODE.name, NODE.version)))
}

fn cli(folder: &Path) -> PathBuf {
    folder.join("lib/node_modules/npm/bin/npm-cli.js")
}

fn is_usable(node: &mut Command, npm: &mut Command) -> bool {
    let printed = command::probe(node.arg("--version"));
    printed.is_some_and(|printed| is_new_enough(&printed))
        && command::probe(npm.arg("--version")).is_some()
}

/// As Vite's package says: 20.19, 22.12, and whatever is newer.
fn is_new_enough(printed: &str) -> bool {
    let version = printed.trim().strip_prefix('v').unwrap_or_default();
    let mut parts = version.split('.').map(|part| part.parse::<u32>());
    match (parts.next(), parts.next()) {
        (Some(Ok(20)), Some(Ok(minor))) => minor >= 19,
        (Some(Ok(22)), Some(Ok(minor))) => minor >= 12,
        (Some(Ok(major)), Some(Ok(_))) => major > 22,
        _ => false,
    }
}

/// Takes what the Python package at `site` holds for ours.
///
/// # Errors
/// The link cannot be made.
pub(crate) fn link(site: &Path) -> Result<()> {
    let folder = folder()?;
    if folder.is_symlink() {
        std::fs::remove_file(&folder)
            .with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    std::os::unix::fs::symlink(site, &folder)
        .with_context(|| format!("cannot make {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_vite_runs_on_is_new_enough() {
        for (printed, expected) in [
            ("v18.19.0", false),
            ("v20.18.1", false),
            ("v20.19.0\n", true),
            ("v21.7.3", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.0.0", true),
            ("", false),
            ("node: not found", false),
        ] {
            assert_eq!(is_new_enough(printed), expected, "{printed:?}");
        }
    }
}
