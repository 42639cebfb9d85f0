//! What a virtual machine boots into: our executables, the tools they run, and the libraries of both.

use std::{
    collections::BTreeSet,
    env, fs,
    io::BufWriter,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::{
    archive::Kernel,
    cpio::Archive,
    modules,
    plan::{self, Step},
};
use crate::{command, workspace::Workspace};

/// What the tests run beside our own binaries.
const TOOLS: [&str; 9] = [
    "chmod", "find", "ip", "mount", "nsenter", "setpriv", "sh", "sleep", "unshare",
];
const MOUNT_POINTS: [&str; 5] = ["/dev", "/picket/modules", "/proc", "/sys", "/tmp"];

/// Files that every machine has, by the path inside and the one outside.
pub(super) struct Image {
    files: Vec<(String, PathBuf)>,
}

impl Image {
    /// Gathers them; executables of ours are stripped into `scratch`.
    pub(super) fn gather(workspace: &Workspace, tests: &[PathBuf], scratch: &Path) -> Result<Self> {
        let ours = |name: &str| workspace.target.join("debug").join(name);
        let mut files = vec![
            ("/init".to_owned(), strip(&ours("guest"), "guest", scratch)?),
            (
                format!("{}/picket-agent", plan::BINARIES),
                strip(&ours("picket-agent"), "picket-agent", scratch)?,
            ),
        ];
        for (name, path) in plan::TESTS.iter().zip(tests) {
            files.push((
                format!("{}/{name}", plan::BINARIES),
                strip(path, name, scratch)?,
            ));
        }
        for tool in TOOLS {
            files.push((format!("/bin/{tool}"), find(tool)?));
        }
        let mut libraries = BTreeSet::new();
        for (_, path) in &files {
            libraries.extend(libraries_of(path)?);
        }
        let libraries = libraries
            .into_iter()
            .map(|path| (path.clone(), path.into()));
        files.extend(libraries);
        Ok(Self { files })
    }

    /// Writes the initramfs of `kernel`, which takes `steps`, to `place`.
    pub(super) fn write(&self, kernel: &Kernel, steps: &[Step], place: &Path) -> Result<()> {
        let modules = modules::needed(&kernel.modules()?)?;
        let write = || {
            let mut archive = Archive::new(BufWriter::new(fs::File::create(place)?));
            archive.device("/dev/console", (5, 1))?;
            for point in MOUNT_POINTS {
                archive.directory(point)?;
            }
            for (index, module) in modules.iter().enumerate() {
                let path = format!("/picket/modules/{index:02}-{}.ko", module.name);
                archive.file(&path, &module.content)?;
            }
            archive.file("/picket/plan", plan::lines(steps).as_bytes())?;
            for (inside, outside) in &self.files {
                archive.file(inside, &fs::read(outside)?)?;
            }
            archive.finish()
        };
        write().with_context(|| format!("cannot write the initramfs {}", place.display()))?;
        Ok(())
    }
}

/// Debug information would be most of the image.
fn strip(path: &Path, name: &str, scratch: &Path) -> Result<PathBuf> {
    let place = scratch.join(name);
    command::read(
        Command::new("strip")
            .arg("--strip-debug")
            .arg("-o")
            .arg(&place)
            .arg(path),
        "run `cargo xtask setup`",
    )?;
    Ok(place)
}

fn find(tool: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(tool))
        .find(|path| path.is_file())
        .with_context(|| format!("cannot find {tool}; run `cargo xtask setup`"))
}

/// The shared libraries of an executable, and the loader, by their absolute paths.
fn libraries_of(path: &Path) -> Result<Vec<String>> {
    let printed = command::read(
        Command::new("ldd").arg(path),
        "is it an executable of this machine?",
    )?;
    ensure!(
        !printed.contains("not found"),
        "{} lacks a library:\n{printed}",
        path.display()
    );
    let words = printed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    Ok(words.map(str::to_owned).collect())
}
