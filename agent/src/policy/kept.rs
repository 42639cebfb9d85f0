//! The file that keeps the policy the collector told, so that it holds after a restart without a collector.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
};

use api::{policy::revision, v1};
use serde::{Deserialize, Serialize};

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It cannot be read.
    #[error("cannot read the policy kept in {}: {source}; check --policy and the permissions of the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what an agent wrote.
    #[error("{} is damaged: {reason}; the collector tells the policy again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        reason: String,
    },
    /// It cannot be written.
    #[error("cannot keep the policy in {}: {source}; check --policy and the permissions of its directory", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What is in the file.
#[derive(Deserialize, Serialize)]
struct Content {
    name: String,
    revision: String,
    text: String,
}

/// Where the file is.
#[derive(Clone, Debug)]
pub struct Kept(PathBuf);

impl Kept {
    /// The file of this path, which need not exist yet.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// What was kept last, if anything was.
    ///
    /// # Errors
    /// When there is a file that cannot be read, or that no agent has written.
    pub fn read(&self) -> Result<Option<v1::Policy>, KeptError> {
        let path = || self.0.clone();
        let text = match fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(KeptError::Read {
                    path: path(),
                    source,
                });
            }
        };
        let damaged = |reason: String| KeptError::Damaged {
            path: path(),
            reason,
        };
        let content: Content =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if revision(&content.text) != content.revision {
            return Err(damaged("its text is not of its revision".to_owned()));
        }
        Ok(Some(v1::Policy {
            name: content.name,
            text: content.text,
            revision: content.revision,
        }))
    }

    /// Replaces the file as a whole; nothing to keep removes it.
    ///
    /// # Errors
    /// When the file, or another one in its directory, cannot be written.
    pub fn write(&self, policy: Option<&v1::Policy>) -> Result<(), KeptError> {
        let written = match policy {
            Some(policy) => self.replace(policy),
            None => fs::remove_file(&self.0).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
        };
        written.map_err(|source| KeptError::Write {
            path: self.0.clone(),
            source,
        })
    }

    fn replace(&self, policy: &v1::Policy) -> io::Result<()> {
        let text = serde_json::to_vec(&Content {
            name: policy.name.clone(),
            revision: policy.revision.clone(),
            text: policy.text.clone(),
        })?;
        let mut new = OsString::from(&self.0);
        new.push(".new");
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)
    }
}
