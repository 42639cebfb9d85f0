//! The file that keeps what is contained, from one run of the agent to the next.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::held::Kept;

/// Of the format: another one cannot be read.
const VERSION: u32 = 1;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error("cannot read {}: {source}; check the permissions of the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what an agent wrote.
    #[error("{} is damaged: {reason}; what was contained is taken from the kernel alone", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        reason: String,
    },
    /// It cannot be written.
    #[error("cannot write {}: {source}; check the permissions of its directory", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    containments: Kept,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    containments: &'a Kept,
}

/// Where the file is.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// The file of this path, which need not exist yet.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was written last; none when there is no file.
    ///
    /// # Errors
    /// When there is one that cannot be read, or that no agent has written.
    pub fn read(&self) -> Result<Option<Kept>, StoreError> {
        let text = match fs::read(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| StoreError::Read {
                path: self.0.clone(),
                source,
            })?,
        };
        let damaged = |reason: String| StoreError::Damaged {
            path: self.0.clone(),
            reason,
        };
        let read: Read =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if read.version != VERSION {
            return Err(damaged(format!(
                "its version is {}, not {VERSION}",
                read.version
            )));
        }
        Ok(Some(read.containments))
    }

    /// Replaces the file as a whole: whoever is interrupted leaves the old one.
    ///
    /// # Errors
    /// When the file, or another one in its directory, cannot be written.
    pub fn write(&self, kept: &Kept) -> Result<(), StoreError> {
        self.replace(kept).map_err(|source| StoreError::Write {
            path: self.0.clone(),
            source,
        })
    }

    fn replace(&self, kept: &Kept) -> io::Result<()> {
        let text = serde_json::to_vec(&Written {
            version: VERSION,
            containments: kept,
        })?;
        let mut new = OsString::from(&self.0);
        new.push(".new");
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_of_another_version_wrote_is_read_as_far_as_it_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::at(directory.path().join("containments.json"));
        let text = r#"{"version": 1, "of_tomorrow": 1, "containments": {"boot": "b", "of_tomorrow": {},
            "past": {"u": {"times": 2, "of_tomorrow": 3}}}}"#;
        fs::write(store.path(), text).unwrap();
        let kept = store.read().unwrap().unwrap();
        assert_eq!((kept.boot.as_str(), kept.past["u"].times), ("b", 2));
        fs::write(store.path(), text.replace("1,", "2,")).unwrap();
        let error = store.read().unwrap_err().to_string();
        assert!(error.contains("its version is 2"), "{error}");
    }
}
