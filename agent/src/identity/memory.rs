//! The file that keeps the node's pods and their interfaces, from one run of the agent to the next.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use api::{
    kept::{Kept, KeptInterface},
    pods::{Pods, address_of},
    v1,
};
use detect::Subject;
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tracing::warn;

use super::Former;

/// Of the format; then comes the checksum of the rest.
const MAGIC: [u8; 8] = *b"picketi2";
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
    #[error("{} is damaged, or of another version; the collector tells the pods anew", .0.display())]
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
    /// The interfaces, and which was whose.
    pub interfaces: Vec<Former>,
    /// What the cluster declares.
    pub services: v1::ServiceTable,
}

/// Where the file is.
#[derive(Clone, Debug)]
pub struct Memory {
    path: PathBuf,
    boot: String,
}

impl Memory {
    /// The file of this path, which need not exist yet, and the id of this boot, or nothing if that is unknown.
    #[must_use]
    pub const fn at(path: PathBuf, boot: String) -> Self {
        Self { path, boot }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written last; nothing when there is no file, and of interfaces nothing when that was before the
    /// machine was started.
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
                let path = self.path.clone();
                return Err(MemoryError::Read { path, source });
            }
        };
        let damaged = || MemoryError::Damaged(self.path.clone());
        let kept = checked(&bytes).and_then(|rest| Kept::read(rest).ok());
        let kept = kept.ok_or_else(damaged)?;
        let is_same_boot = !self.boot.is_empty() && kept.boot == self.boot;
        let interfaces = kept.interfaces.into_iter().filter(|_| is_same_boot);
        Ok(Remembered {
            pods: Pods::from_table(v1::PodTable {
                pods: kept.pods,
                more: false,
            }),
            interfaces: interfaces.map(former).collect(),
            services: kept.services.unwrap_or_default(),
        })
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        use io::Read as _;
        let mut bytes = Vec::new();
        File::open(&self.path)?
            .take(LARGEST)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Replaces the file as a whole: whoever is interrupted leaves the old one.
    ///
    /// # Errors
    /// When the file, or another one in its directory, cannot be written.
    pub fn write(&self, remembered: &Remembered) -> Result<(), MemoryError> {
        self.write_bytes(&self.bytes_of(remembered))
    }

    fn bytes_of(&self, remembered: &Remembered) -> Vec<u8> {
        let kept = Kept {
            pods: remembered.pods.table().pods,
            interfaces: remembered.interfaces.iter().map(kept).collect(),
            services: Some(remembered.services.clone()),
            boot: self.boot.clone(),
        };
        kept.to_bytes()
    }

    fn write_bytes(&self, bytes: &[u8]) -> Result<(), MemoryError> {
        self.replace(bytes).map_err(|source| MemoryError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn replace(&self, rest: &[u8]) -> io::Result<()> {
        let mut new = OsString::from(&self.path);
        new.push(".new");
        let mut file = File::create(&new)?;
        file.write_all(&MAGIC)?;
        file.write_all(&crc32fast::hash(rest).to_le_bytes())?;
        file.write_all(rest)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}

/// What follows the checksum, when it is true.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, rest) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
    (crc32fast::hash(rest) == u32::from_le_bytes(*sum)).then_some(rest)
}

/// Writes what is to be remembered each time it is another, until nobody changes it any more.
pub async fn remember(memory: Memory, mut remembered: watch::Receiver<Remembered>) {
    let mut failing = false;
    let mut last = 0;
    while remembered.changed().await.is_ok() {
        let bytes = memory.bytes_of(&remembered.borrow_and_update());
        let sum = crc32fast::hash(&bytes);
        if std::mem::replace(&mut last, sum) == sum {
            continue;
        }
        let memory = memory.clone();
        let written = spawn_blocking(move || memory.write_bytes(&bytes)).await;
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

fn kept(former: &Former) -> KeptInterface {
    KeptInterface {
        ifindex: former.subject.ifindex,
        epoch: former.subject.epoch,
        pod: former.pod.clone().unwrap_or_default(),
        appeared_at: former.appeared_at.map(v1::Timestamp::from),
        name: former.name.clone(),
        addresses: former.addresses.iter().map(ToString::to_string).collect(),
    }
}

fn former(kept: KeptInterface) -> Former {
    let appeared_at = kept
        .appeared_at
        .and_then(|at| SystemTime::try_from(at).ok());
    Former {
        subject: Subject {
            ifindex: kept.ifindex,
            epoch: kept.epoch,
        },
        name: kept.name,
        addresses: kept
            .addresses
            .iter()
            .filter_map(|it| address_of(it))
            .collect(),
        pod: (!kept.pod.is_empty()).then_some(kept.pod),
        appeared_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(ifindex: u32, pod: Option<&str>) -> Former {
        Former {
            subject: Subject { ifindex, epoch: 3 },
            name: format!("veth{ifindex}"),
            addresses: vec![[10, 0, 0, 1].into(), [0xfd00, 0, 0, 0, 0, 0, 0, 1].into()],
            pod: pod.map(str::to_owned),
            appeared_at: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)),
        }
    }

    fn remembered() -> Remembered {
        let pod = v1::Pod {
            uid: "u".into(),
            ..v1::Pod::default()
        };
        let service = v1::Service {
            name: "web".into(),
            ..v1::Service::default()
        };
        Remembered {
            pods: Pods::from_table(v1::PodTable {
                pods: vec![pod],
                more: false,
            }),
            interfaces: vec![interface(7, Some("u")), interface(8, None)],
            services: v1::ServiceTable {
                services: vec![service],
                ..v1::ServiceTable::default()
            },
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path().join("identity"), "boot".into());
        assert!(memory.read().unwrap().pods.is_empty(), "no file yet");
        let remembered = remembered();
        memory.write(&remembered).unwrap();
        let read = memory.read().unwrap();
        assert_eq!(read.pods.table(), remembered.pods.table());
        assert_eq!(read.interfaces, remembered.interfaces);
        assert_eq!(read.services, remembered.services);

        let mut bytes = fs::read(memory.path()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(memory.path(), bytes).unwrap();
        let error = memory.read().unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }

    #[test]
    fn interfaces_are_those_of_one_boot() {
        let folder = tempfile::tempdir().unwrap();
        for (before, after, are_same) in [("a", "a", true), ("a", "b", false), ("", "", false)] {
            let memory = |boot: &str| Memory::at(folder.path().join("identity"), boot.into());
            memory(before).write(&remembered()).unwrap();
            let read = memory(after).read().unwrap();
            assert_eq!(read.interfaces.len(), if are_same { 2 } else { 0 });
            assert_eq!(read.pods.len(), 1, "pods live on");
        }
    }
}
