//! Kernels as Debian ships them: found in its suites, downloaded once, unpacked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    command,
    debian::{AGAIN, Debian},
    tools,
};

/// The suites of Debian that have, in this order, 5.10, 6.1, 6.12, and what came later.
const SUITES: [&str; 4] = ["bullseye", "bookworm", "trixie", "trixie-backports"];
/// A kernel came as one package and comes as two.
const PARTS: [&str; 3] = ["linux-image-", "linux-binary-", "linux-modules-"];
const FLAVOUR: &str = "-cloud-amd64";

/// A kernel in the cache.
pub(super) struct Kernel {
    /// The series, such as `6.12`.
    pub(super) series: String,
    /// Its exact version, such as `6.12.117+deb13`.
    pub(super) version: String,
    /// Whether the programs must load on it, or be refused.
    pub(super) must_do: bool,
    folder: PathBuf,
}

impl Kernel {
    /// The newest of each series (`7` is the newest 7.x); those in the cache will do unless `update`.
    ///
    /// # Errors
    /// When there is none of a series that must do; one that must not is only missed aloud.
    pub(super) fn find(wanted: &[(&str, bool)], update: bool) -> Result<Vec<Self>> {
        let cache = tools::cache()?.join("kernels");
        let cached = |series| newest(&tools::names(&cache).ok()?, series);
        let mut found: Vec<_> = wanted.iter().map(|(series, _)| cached(series)).collect();
        if update || found.contains(&None) {
            let debian = Debian::list(cache.join("apt"), &SUITES, false)?;
            let packages = packages(&debian)?;
            for (found, (series, must_do)) in found.iter_mut().zip(wanted) {
                if let Some(version) = newest(&versions(&packages), series) {
                    fetch(&debian, &version, &packages, &cache)?;
                    *found = Some(version);
                } else if *must_do {
                    bail!(
                        "Debian's suites {} have no kernel {series}",
                        SUITES.join(", ")
                    );
                } else if found.is_none() {
                    eprintln!("warning: kernel {series} NOT tested: Debian has none any more");
                }
            }
        }
        let kernels = found.into_iter().zip(wanted);
        let kernels = kernels.filter_map(|(version, &(series, must_do))| {
            let version = version?;
            Some(Self {
                series: series.to_owned(),
                must_do,
                folder: cache.join(&version),
                version,
            })
        });
        Ok(kernels.collect())
    }

    /// What boots; its place differs from release to release.
    pub(super) fn image(&self) -> Result<PathBuf> {
        let name = format!("boot/vmlinuz-{}{FLAVOUR}", self.version);
        [self.folder.join(name), self.modules()?.join("vmlinuz")]
            .into_iter()
            .find(|path| path.is_file())
            .with_context(|| format!("{} holds no vmlinuz", self.folder.display()))
    }

    /// The folder of its modules.
    pub(super) fn modules(&self) -> Result<PathBuf> {
        let name = format!("{}{FLAVOUR}", self.version);
        ["usr/lib/modules", "lib/modules"]
            .map(|parent| self.folder.join(parent).join(&name))
            .into_iter()
            .find(|path| path.is_dir())
            .with_context(|| format!("{} holds no modules", self.folder.display()))
    }
}

/// The names of all packages that kernels of our flavour come in.
fn packages(debian: &Debian) -> Result<Vec<String>> {
    let pattern = format!("^linux-(image|binary|modules)-[0-9].*{FLAVOUR}$");
    let mut search = debian.apt("apt-cache");
    search.args(["search", "--names-only", &pattern]);
    let printed = command::read(&mut search, AGAIN)?;
    let names = printed.lines().filter_map(|line| line.split(' ').next());
    Ok(names.map(str::to_owned).collect())
}

/// Downloads and unpacks a kernel, unless it is there.
fn fetch(debian: &Debian, version: &str, packages: &[String], cache: &Path) -> Result<()> {
    let place = cache.join(version);
    if place.exists() {
        return Ok(());
    }
    let fresh = cache.join("fresh");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("cannot empty {}", fresh.display()))?;
    }
    let parts = PARTS.map(|part| format!("{part}{version}{FLAVOUR}"));
    let parts: Vec<_> = parts
        .iter()
        .filter(|part| packages.contains(part))
        .collect();
    let unpacked = debian.unpack(&parts, &fresh)?;
    fs::rename(unpacked, &place)
        .with_context(|| format!("cannot put a kernel at {}", place.display()))?;
    fs::remove_dir_all(&fresh).with_context(|| format!("cannot remove {}", fresh.display()))
}

fn versions(packages: &[String]) -> Vec<String> {
    let images = packages
        .iter()
        .filter_map(|name| name.strip_prefix(PARTS[0]));
    images
        .filter_map(|name| name.strip_suffix(FLAVOUR))
        .map(str::to_owned)
        .collect()
}

fn newest(versions: &[String], series: &str) -> Option<String> {
    let of_series = versions.iter().filter(|version| {
        let rest = version.strip_prefix(series);
        rest.is_some_and(|rest| rest.starts_with('.'))
    });
    of_series.max_by_key(|version| numbers(version)).cloned()
}

/// The numbers in a version; `-` counts Debian's builds, `+deb12.1` too.
fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_a_series_is_found() {
        let packages = [
            "linux-image-6.1.0-47-cloud-amd64",
            "linux-image-6.1.0-50-cloud-amd64",
            "linux-image-6.12.90+deb12-cloud-amd64",
            "linux-image-6.12.117+deb13-cloud-amd64",
            "linux-image-6.12.90+deb12.1-cloud-amd64",
            "linux-modules-7.9.9+deb13-cloud-amd64",
            "linux-image-7.0.13+deb13-cloud-amd64",
            "linux-image-7.3.4+deb13-cloud-amd64",
        ];
        let versions = versions(&packages.map(str::to_owned));
        for (series, expected) in [
            ("6.1", Some("6.1.0-50")),
            ("6.12", Some("6.12.117+deb13")),
            ("7", Some("7.3.4+deb13")),
            ("7.0", Some("7.0.13+deb13")),
            ("5.10", None),
        ] {
            assert_eq!(newest(&versions, series).as_deref(), expected, "{series}");
        }
    }
}
