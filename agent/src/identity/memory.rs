//! The file that keeps the node's pods and their interfaces, from one run of the agent to the next.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use api::{
    kept::{Kept, KeptBound},
    pods::Pods,
    v1,
};
use detect::Subject;
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tracing::warn;

use super::Bound;

/// Of the format; then comes the checksum of the rest.
const MAGIC: [u8; 8] = *b"picketi1";
/// The longest file that is read: pods of one node take a tenth of it.
const LARGEST: u64 = 64 << 20;
/// Between writes.
const PAUSE: Duration = Duration::from_secs(1);

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It cannot be read.
    #[error("cannot read {}: {source}; check --identity and the permissions of the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what an agent wrote.
    #[error("{} is damaged; the collector tells the pods anew", .0.display())]
    Damaged(PathBuf),
    /// It cannot be written.
    #[error("cannot write {}: {source}; check --identity and the permissions of its directory", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was known.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The pods, as they were then.
    pub pods: Pods,
    /// Which interface was whose.
    pub bound: Vec<Bound>,
}

/// Where the file is.
#[derive(Clone, Debug)]
pub struct Memory(PathBuf);

impl Memory {
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
    pub fn read(&self) -> Result<Remembered, MemoryError> {
        let bytes = match self.bytes() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Remembered::default());
            }
            Err(source) => {
                let path = self.0.clone();
                return Err(MemoryError::Read { path, source });
            }
        };
        let damaged = || MemoryError::Damaged(self.0.clone());
        let kept = checked(&bytes).and_then(|rest| Kept::read(rest).ok());
        let kept = kept.ok_or_else(damaged)?;
        Ok(Remembered {
            pods: Pods::from_table(v1::PodTable {
                pods: kept.pods,
                more: false,
            }),
            bound: kept.bound.into_iter().map(bound).collect(),
        })
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        use io::Read as _;
        let mut bytes = Vec::new();
        File::open(&self.0)?.take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Replaces the file as a whole: whoever is interrupted leaves the old one.
    ///
    /// # Errors
    /// When the file, or another one in its directory, cannot be written.
    pub fn write(&self, remembered: &Remembered) -> Result<(), MemoryError> {
        let kept = Kept {
            pods: remembered.pods.table().pods,
            bound: remembered.bound.iter().map(kept).collect(),
        };
        self.replace(&kept.to_bytes())
            .map_err(|source| MemoryError::Write {
                path: self.0.clone(),
                source,
            })
    }

    fn replace(&self, rest: &[u8]) -> io::Result<()> {
        let mut new = OsString::from(&self.0);
        new.push(".new");
        let mut file = File::create(&new)?;
        file.write_all(&MAGIC)?;
        file.write_all(&crc32fast::hash(rest).to_le_bytes())?;
        file.write_all(rest)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)
    }
}

/// What follows the checksum, when it is true.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, rest) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
    (crc32fast::hash(rest) == u32::from_le_bytes(*sum)).then_some(rest)
}

/// Writes what is to be remembered each time it changes, until nobody changes it any more.
pub async fn remember(memory: Memory, mut remembered: watch::Receiver<Remembered>) {
    let mut failing = false;
    while remembered.changed().await.is_ok() {
        let latest = remembered.borrow_and_update().clone();
        let memory = memory.clone();
        let written = spawn_blocking(move || memory.write(&latest)).await;
        match written {
            Ok(Err(error)) if !failing => {
                warn!(%error, "pods will be unknown after a restart until the collector tells them");
                failing = true;
            }
            Ok(Ok(())) => failing = false,
            _ => {}
        }
        sleep(PAUSE).await;
    }
}

fn kept(bound: &Bound) -> KeptBound {
    KeptBound {
        ifindex: bound.subject.ifindex,
        epoch: bound.subject.epoch,
        pod: bound.pod.clone(),
        appeared_at: bound.appeared_at.map(v1::Timestamp::from),
    }
}

fn bound(kept: KeptBound) -> Bound {
    let appeared_at = kept
        .appeared_at
        .and_then(|at| SystemTime::try_from(at).ok());
    Bound {
        subject: Subject {
            ifindex: kept.ifindex,
            epoch: kept.epoch,
        },
        pod: kept.pod,
        appeared_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path().join("identity"));
        assert!(memory.read().unwrap().pods.is_empty(), "no file yet");
        let pod = v1::Pod {
            uid: "u".into(),
            ..v1::Pod::default()
        };
        let bound = Bound {
            subject: Subject {
                ifindex: 7,
                epoch: 3,
            },
            pod: "u".into(),
            appeared_at: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)),
        };
        let remembered = Remembered {
            pods: Pods::from_table(v1::PodTable {
                pods: vec![pod],
                more: false,
            }),
            bound: vec![bound.clone()],
        };
        memory.write(&remembered).unwrap();
        let read = memory.read().unwrap();
        assert_eq!(read.pods.table(), remembered.pods.table());
        assert_eq!(read.bound, [bound]);

        let mut bytes = fs::read(memory.path()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(memory.path(), bytes).unwrap();
        let error = memory.read().unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
}
