//! One agent a directory.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::directory::Directory;

const NAME: &str = "lock";

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another agent does.
    #[error(
        "cannot keep events in {}: another agent does; stop it, or give each a directory of its own with \
         --spool", path.display()
    )]
    Taken {
        /// The directory.
        path: PathBuf,
    },
    /// The system refuses it.
    #[error(
        "cannot keep events in {}: {cause}; let --spool name a directory that the agent may write to, or \
         say --spool none", path.display()
    )]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// The directory is this agent's as long as this lives, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

pub(super) fn take(path: &Path) -> Result<(Directory, Lock), LockError> {
    let unusable = |cause| LockError::Unusable {
        path: path.into(),
        cause,
    };
    let directory = Directory::make(path.into()).map_err(unusable)?;
    let file = directory.lock_file(NAME).map_err(unusable)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok((directory, Lock { _file: file })),
        Err(error) if error == rustix::io::Errno::WOULDBLOCK => {
            Err(LockError::Taken { path: path.into() })
        }
        Err(error) => Err(unusable(error.into())),
    }
}
