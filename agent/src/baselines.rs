//! The file that keeps what is usual, from one run of the agent to the next.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use detect::Baseline;
use serde::{Deserialize, Serialize};

/// Of the format: another one cannot be read.
const VERSION: u32 = 1;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselinesError {
    /// It cannot be read.
    #[error("cannot read {}: {source}; check --baselines and the permissions of the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what an agent wrote.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        reason: String,
    },
    /// It cannot be written.
    #[error("cannot write {}: {source}; check --baselines and the permissions of its directory", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What is in the file.
#[derive(Deserialize)]
struct Kept {
    version: u32,
    baselines: Vec<Baseline>,
}

#[derive(Serialize)]
struct Keep<'a> {
    version: u32,
    baselines: &'a [Baseline],
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

    /// What was written last; nothing when there is no file.
    ///
    /// # Errors
    /// When there is one that cannot be read, or that no agent has written.
    pub fn read(&self) -> Result<Vec<Baseline>, BaselinesError> {
        let text = match fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(BaselinesError::Read {
                    path: self.0.clone(),
                    source,
                });
            }
        };
        let kept: Kept = serde_json::from_slice(&text).map_err(|error| self.damaged(error))?;
        if kept.version != VERSION {
            let reason = format!("its version is {}, not {VERSION}", kept.version);
            return Err(self.damaged(reason));
        }
        Ok(kept.baselines)
    }

    /// The error that the file is no good.
    #[must_use]
    pub fn damaged(&self, reason: impl ToString) -> BaselinesError {
        BaselinesError::Damaged {
            path: self.0.clone(),
            reason: reason.to_string(),
        }
    }

    /// Replaces the file as a whole: whoever is interrupted leaves the old one.
    ///
    /// # Errors
    /// When the file, or another one in its directory, cannot be written.
    pub fn write(&self, baselines: &[Baseline]) -> Result<(), BaselinesError> {
        self.replace(baselines)
            .map_err(|source| BaselinesError::Write {
                path: self.0.clone(),
                source,
            })
    }

    fn replace(&self, baselines: &[Baseline]) -> io::Result<()> {
        let keep = Keep {
            version: VERSION,
            baselines,
        };
        let text = serde_json::to_vec(&keep)?;
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
    use std::time::Duration;

    use detect::{Detectors, Observation, Settings, Subject, Time};

    use super::*;

    const SUBJECT: Subject = Subject {
        ifindex: 1,
        epoch: 1,
    };

    fn learned() -> Vec<Baseline> {
        let mut detectors = Detectors::new(Settings::default());
        detectors.name(SUBJECT, "shop/web");
        for hour in 0..50 {
            let mut observation = Observation::empty(SUBJECT);
            observation.sent[0].bytes = 1_000_000 * (1 + hour % 7);
            let now = Time::default() + Duration::from_secs(3600 * hour);
            detectors.observe(&observation, now, &mut Vec::new());
        }
        detectors.baselines()
    }

    #[test]
    fn what_is_written_is_read_again_to_the_last_bit() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::at(directory.path().join("baselines.json"));
        assert_eq!(store.read().unwrap(), []);
        let baselines = learned();
        assert!(!baselines.is_empty());
        for baselines in [&baselines[..], &[], &baselines[..]] {
            store.write(baselines).unwrap();
            assert_eq!(store.read().unwrap(), baselines);
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_no_agent_wrote_is_named_and_told_apart_from_none() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::at(directory.path().join("baselines.json"));
        store.write(&learned()).unwrap();
        let whole = fs::read_to_string(store.path()).unwrap();
        for (text, expected) in [
            ("", "damaged"),
            (&whole[..whole.len() / 2], "damaged"),
            (
                &whole.replace("\"version\":1", "\"version\":2"),
                "its version is 2",
            ),
            (
                &whole.replace("\"level\":", "\"level\":null,\"x\":"),
                "damaged",
            ),
        ] {
            fs::write(store.path(), text).unwrap();
            let error = store.read().unwrap_err().to_string();
            assert!(error.contains("baselines.json"), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::at(directory.path().join("baselines.json"));
        store.write(&learned()).unwrap();
        fs::create_dir(directory.path().join("baselines.json.new")).unwrap();
        let error = store.write(&[]).unwrap_err().to_string();
        assert!(error.starts_with("cannot write "), "{error}");
        assert_eq!(store.read().unwrap(), learned());
    }
}
