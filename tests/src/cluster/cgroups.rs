//! The control groups of a node, below one of its own in every hierarchy.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::deadline::wait_for;

const ROOT: &str = "/sys/fs/cgroup";
const PREFIX: &str = "picket-cluster-";
/// The kernel takes a group for used until its last process is reaped.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Cgroup {
    name: String,
}

impl Cgroup {
    pub(super) fn create(node: &str) -> Result<Self> {
        let cgroup = Self {
            name: format!("{PREFIX}{}-{node}", process::id()),
        };
        let hierarchies = hierarchies()?;
        ensure!(
            hierarchies.iter().any(|it| it.ends_with("memory")),
            "Kubernetes 1.20 needs control groups of version 1, which are not mounted at {ROOT}"
        );
        for hierarchy in hierarchies {
            let group = hierarchy.join(&cgroup.name);
            fs::create_dir(&group).with_context(|| format!("cannot make {}", group.display()))?;
            // A new group of this kind has none, and takes no process until it has.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(given) = fs::read(hierarchy.join(file)) {
                    fs::write(group.join(file), given)?;
                }
            }
        }
        Ok(cgroup)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.name, LIMIT).ok();
    }
}

/// Removes what processes that were killed had no time to remove.
pub(super) fn sweep() {
    let Ok(hierarchies) = hierarchies() else {
        return;
    };
    let names = hierarchies
        .iter()
        .flat_map(|it| folders(it).unwrap_or_default());
    for name in names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())) {
        let maker = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        if maker.is_some_and(|maker| !Path::new("/proc").join(maker).exists()) {
            remove(&name, Duration::ZERO).ok();
        }
    }
}

fn remove(name: &str, limit: Duration) -> Result<()> {
    for hierarchy in hierarchies()? {
        let group = hierarchy.join(name);
        wait_for("the end of a control group", limit, || {
            Ok(remove_all(&group).ok())
        })?;
    }
    Ok(())
}

/// The files of a group cannot be removed, only the group.
fn remove_all(group: &Path) -> io::Result<()> {
    if !group.exists() {
        return Ok(());
    }
    for child in folders(group)? {
        remove_all(&child)?;
    }
    fs::remove_dir(group)
}

fn hierarchies() -> Result<Vec<PathBuf>> {
    folders(Path::new(ROOT)).with_context(|| format!("cannot list {ROOT}"))
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}
