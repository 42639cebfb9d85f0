//! What the spool asks of a disk, so that a test can fail any of it.

use std::{fmt, io, sync::Arc};

/// A directory of files.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// Names and lengths of all files.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;
    /// An empty file of this name, whatever was there.
    fn create(&self, name: &str) -> io::Result<Box<dyn Output>>;
    /// Fills as much of `buffer` as the file has from `offset` on.
    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Cuts a file off, and syncs it; one that is not there needs no cutting.
    fn truncate(&self, name: &str, length: u64) -> io::Result<()>;
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; one that is not there is removed.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// What was created, renamed and removed stays so, even when the power goes.
    fn sync(&self) -> io::Result<()>;
}

/// The end of a file.
pub(super) trait Output: fmt::Debug + Send {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// What was appended stays, even when the power goes.
    fn sync(&mut self) -> io::Result<()>;
}

/// Something that the disk did not do.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {name} in the spool: {source}")]
pub(super) struct Failure {
    pub(super) operation: &'static str,
    pub(super) name: String,
    pub(super) source: io::Error,
}

impl Failure {
    pub(super) fn of(operation: &'static str, name: &str) -> impl FnOnce(io::Error) -> Self {
        let name = name.to_owned();
        move |source| Self {
            operation,
            name,
            source,
        }
    }
}

/// No disk at all.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Nowhere {
    pub(super) fn disk() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Disk for Nowhere {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }

    fn create(&self, _: &str) -> io::Result<Box<dyn Output>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read(&self, _: &str, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn truncate(&self, _: &str, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
