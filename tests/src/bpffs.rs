//! A bpffs of its own, in a mount namespace that ends with this value: pins cannot leak.

use std::{ffi::OsStr, path::PathBuf, process::Command, time::Duration};

use anyhow::Result;

use crate::{
    namespace::Namespace,
    process::{Process, guarded, run},
};

const LIMIT: Duration = Duration::from_secs(10);
/// Where the agent pins by default.
const MOUNTED: &str = "/sys/fs/bpf";

/// A bpffs at `/sys/fs/bpf`, for those alone that run by [`Bpffs::command`].
#[derive(Debug)]
pub struct Bpffs {
    holder: Process,
}

impl Bpffs {
    /// Mounts one.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new() -> Result<Self> {
        Self::mounted("bpf")
    }

    /// Where a bpffs would be there is a file system in memory instead.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn missing() -> Result<Self> {
        Self::mounted("tmpfs")
    }

    fn mounted(kind: &str) -> Result<Self> {
        let script = format!("mount -t {kind} {kind} {MOUNTED} && echo mounted && exec sleep inf");
        let mut command = guarded("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
        let mut holder = Process::spawn("the mount namespace", &mut command)?;
        holder.wait_for_line("mounted", LIMIT)?;
        Ok(Self { holder })
    }

    /// A command that runs `program` in `network` and with this mount.
    #[must_use]
    pub fn command(&self, network: &Namespace, program: impl AsRef<OsStr>) -> Command {
        let mut command = guarded("nsenter");
        command
            .arg(format!("--net={}", network.path().display()))
            .arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()))
            .arg("--")
            .arg(program);
        command
    }

    /// All pins below where the agent pins by default, ascending.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn pins(&self) -> Result<Vec<String>> {
        let mut find = guarded("nsenter");
        find.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()));
        find.args(["find", MOUNTED, "-mindepth", "2", "-type", "f"]);
        find.args(["-printf", "%P\\n"]);
        let found = run("find", &mut find, LIMIT)?.success()?;
        let mut pins: Vec<_> = found.stdout.lines().map(str::to_owned).collect();
        pins.sort();
        Ok(pins)
    }

    /// Runs a line of shell in it.
    ///
    /// # Errors
    /// When that fails.
    pub fn shell(&self, line: &str) -> Result<()> {
        let mut shell = guarded("nsenter");
        shell.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()));
        shell.args(["sh", "-c", line]);
        run("sh", &mut shell, LIMIT)?.success()?;
        Ok(())
    }

    /// Where the mount namespace is found.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        format!("/proc/{}/root", self.holder.id()).into()
    }
}
