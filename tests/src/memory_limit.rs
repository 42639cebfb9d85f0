//! A memory cgroup of its own, with a limit.

use std::{fs, path::PathBuf, process};

use anyhow::{Context as _, Result};

/// Where the hierarchies of versions 1 and 2 are, and what the limit is called in each.
const PLACES: [(&str, &str); 2] = [
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
    ("/sys/fs/cgroup", "memory.max"),
];

/// A cgroup whose processes, and the BPF maps they make, share this much memory.
#[derive(Debug)]
pub struct MemoryLimit {
    directory: PathBuf,
}

impl MemoryLimit {
    /// Makes one; None when this machine lets nobody limit memory.
    ///
    /// # Errors
    /// When the limit cannot be set.
    pub fn new(bytes: u64) -> Result<Option<Self>> {
        for (root, file) in PLACES {
            let directory = PathBuf::from(root).join(format!("picket-test-{}", process::id()));
            if fs::create_dir(&directory).is_err() {
                continue;
            }
            let limit = Self { directory };
            let file = limit.directory.join(file);
            if file.exists() {
                fs::write(&file, bytes.to_string())
                    .with_context(|| format!("cannot write {}", file.display()))?;
                return Ok(Some(limit));
            }
        }
        Ok(None)
    }

    /// A line of shell that joins it, and then becomes the command in the line's arguments.
    #[must_use]
    pub fn joining(&self) -> String {
        let members = self.directory.join("cgroup.procs");
        format!("echo $$ > {} && exec \"$@\"", members.display())
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // It fails while a process is in it; then the test has failed as well.
        fs::remove_dir(&self.directory).ok();
    }
}
