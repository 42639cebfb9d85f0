//! Packages of Debian, of whatever release: apt with lists of its own, so that the system's stay as they are.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{command, tools};

/// Verifies them; of the package `debian-archive-keyring`.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
pub(crate) const AGAIN: &str = "when the package source is back, run the command again";

pub(crate) struct Debian {
    folder: PathBuf,
}

impl Debian {
    /// Lists what `suites` have, as packages and, if `sources`, as their sources too.
    pub(crate) fn list(folder: PathBuf, suites: &[&str], sources: bool) -> Result<Self> {
        let lists = folder.join("lists/partial");
        fs::create_dir_all(&lists).with_context(|| format!("cannot make {}", lists.display()))?;
        let mirror = mirror()?;
        let mut entries = String::new();
        for suite in suites {
            entries += &format!(
                "deb [arch=amd64 target=Packages signed-by={KEYS}] {mirror} {suite} main\n"
            );
            if sources {
                entries += &format!("deb-src [signed-by={KEYS}] {mirror} {suite} main\n");
            }
        }
        let list = folder.join("sources.list");
        fs::write(&list, entries).with_context(|| format!("cannot write {}", list.display()))?;
        let debian = Self { folder };
        // A suite that is archived must not cost the others.
        if let Err(error) = command::run(debian.apt("apt-get").args(["--quiet", "update"]), AGAIN) {
            eprintln!("warning: {error:#}");
        }
        Ok(debian)
    }

    pub(crate) fn apt(&self, program: &str) -> Command {
        let mut apt = Command::new(program);
        let folder = self.folder.display();
        for option in [
            format!("Dir::Etc::SourceList={folder}/sources.list"),
            "Dir::Etc::SourceParts=-".into(),
            format!("Dir::State::Lists={folder}/lists"),
            format!("Dir::Cache={folder}"),
            // It could not enter a folder of root's.
            "APT::Sandbox::User=root".into(),
        ] {
            apt.arg("--option").arg(option);
        }
        apt.env("LC_ALL", "C");
        apt
    }

    /// Downloads `packages` to `folder`, which holds no others, and unpacks them below it.
    pub(crate) fn unpack(&self, packages: &[impl AsRef<str>], folder: &Path) -> Result<PathBuf> {
        let unpacked = folder.join("unpacked");
        fs::create_dir_all(&unpacked)
            .with_context(|| format!("cannot make {}", unpacked.display()))?;
        let mut download = self.apt("apt-get");
        download.current_dir(folder).args(["--quiet", "download"]);
        command::run(download.args(packages.iter().map(AsRef::as_ref)), AGAIN)?;
        for name in tools::names(folder)? {
            if name.ends_with(".deb") {
                let mut unpack = Command::new("dpkg-deb");
                unpack.arg("-x").arg(folder.join(name)).arg(&unpacked);
                command::run(&mut unpack, AGAIN)?;
            }
        }
        Ok(unpacked)
    }
}

/// Where this machine gets its own Debian packages from.
fn mirror() -> Result<String> {
    let printed = command::read(
        Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
            "Origin: Debian",
        ]),
        AGAIN,
    )?;
    let mirror = printed
        .lines()
        .find(|line| line.trim_end_matches('/').ends_with("/debian"));
    mirror.map(str::to_owned).context(
        "no package source of this machine is a mirror of Debian, whose packages are taken: \
         run it on Debian, after `apt-get update`",
    )
}
