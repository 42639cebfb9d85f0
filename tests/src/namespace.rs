//! An anonymous network namespace: it has no name, so it cannot outlive this process.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::{fd::AsFd, fd::AsRawFd, unix::fs::MetadataExt},
    path::PathBuf,
    process::{self, Command},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use crate::process::{guarded, run};

/// While programs are attached to hundreds of interfaces, each change of one waits for those before it.
const IP_LIMIT: Duration = Duration::from_secs(60);

/// A network namespace that lives as long as this value and the processes and sockets inside.
#[derive(Debug)]
pub struct Namespace {
    file: File,
}

impl Namespace {
    /// Makes one with loopback up and without duplicate address detection, which would only delay.
    ///
    /// # Errors
    /// When this process may not, usually for want of root.
    pub fn new() -> Result<Self> {
        let namespace = Self {
            file: in_thread(unshared)?.context("cannot make a network namespace: run as root")?,
        };
        namespace.write_sysctl("net/ipv6/conf/all/accept_dad", "0")?;
        namespace.write_sysctl("net/ipv6/conf/default/accept_dad", "0")?;
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// A second handle on the same namespace.
    ///
    /// # Errors
    /// When this process has no descriptor left.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
        })
    }

    /// Where other processes find it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", process::id(), self.file.as_raw_fd()).into()
    }

    /// Its inode, by which the kernel tells namespaces apart.
    ///
    /// # Errors
    /// When the descriptor cannot be examined.
    pub fn inode(&self) -> Result<u64> {
        Ok(self.file.metadata()?.ino())
    }

    /// A command that runs `program` inside, and dies with the thread that spawns it.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = guarded("nsenter");
        command
            .arg(format!("--net={}", self.path().display()))
            .arg("--")
            .arg(program);
        command
    }

    /// Runs `inside` on a thread of this namespace; sockets it opens stay there for ever.
    ///
    /// # Errors
    /// When the thread cannot join the namespace.
    pub fn enter<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T> {
        in_thread(|| {
            move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network))
                .context("cannot join a network namespace")?;
            Ok(inside())
        })?
    }

    /// Runs lines of `ip -batch`.
    ///
    /// # Errors
    /// When `ip` refuses one of them.
    pub fn ip(&self, lines: &str) -> Result<()> {
        let batch = tempfile::NamedTempFile::new()?;
        fs::write(&batch, lines)?;
        let mut command = self.command("ip");
        command.arg("-batch").arg(batch.path());
        run("ip", &mut command, IP_LIMIT)?
            .success()
            .with_context(|| format!("ip refused a line of:\n{lines}"))?;
        Ok(())
    }

    /// Sets one of its own settings below `/proc/sys`.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub fn write_sysctl(&self, name: &str, value: &str) -> Result<()> {
        let path = PathBuf::from("/proc/sys").join(name);
        self.enter(|| fs::write(&path, value))?
            .with_context(|| format!("cannot set {} to {value}", path.display()))
    }
}

#[expect(
    deprecated,
    reason = "deprecated for CLONE_FILES alone, which is not asked for here"
)]
fn unshared() -> Result<File> {
    rustix::thread::unshare(UnshareFlags::NEWNET)?;
    Ok(File::open("/proc/thread-self/ns/net")?)
}

fn in_thread<T: Send>(inside: impl FnOnce() -> T + Send) -> Result<T> {
    thread::scope(|scope| {
        scope
            .spawn(inside)
            .join()
            .map_err(|_| anyhow!("the thread in the namespace panicked"))
    })
}
