//! Where programs, maps and links are pinned, so that they outlive the agent that made them.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use agent_common::{
    BUCKETS_MAP, CURSORS_MAP, Direction, LAYOUT, RECORDS_MAP, SAMPLES_MAP, SETTINGS_MAP, SLOTS_MAP,
    WAKEUPS_MAP,
};
use rustix::{
    fs::{FlockOperation, flock, statfs},
    process::geteuid,
};
use tracing::warn;

use super::{layout::Layout, side::program_name};

/// From linux/magic.h.
const BPF_FS_MAGIC: u64 = 0xcafe_4a11;
/// Maps that outlive the agent.
pub(super) const PINNED_MAPS: [&str; 7] = [
    SLOTS_MAP,
    BUCKETS_MAP,
    SETTINGS_MAP,
    RECORDS_MAP,
    CURSORS_MAP,
    WAKEUPS_MAP,
    SAMPLES_MAP,
];
/// Marks what is ours in a directory that others may use too.
const OURS: &str = "picket-";

/// Where to pin, as configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pin {
    /// Here if that can be, otherwise nowhere.
    IfPossible(PathBuf),
    /// Here or not at all.
    At(PathBuf),
    /// Nowhere: everything ends with the agent.
    Nowhere,
}

/// Why nothing can be pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// The directory is on another file system.
    #[error(
        "cannot pin in {}: it is not on a bpffs; mount one (mount -t bpf bpf /sys/fs/bpf), or use \
         `--pin none`",
        directory.display()
    )]
    NotBpffs {
        /// Which one.
        directory: PathBuf,
    },
    /// It belongs to somebody else, who could have put anything there.
    #[error(
        "cannot pin in {}: it belongs to user {owner}; remove it, or give another directory with --pin",
        directory.display()
    )]
    Owner {
        /// Which one.
        directory: PathBuf,
        /// The user's id.
        owner: u32,
    },
    /// Another agent has it.
    #[error(
        "cannot pin in {}: another picket-agent does; stop that one, or give this one a directory of \
         its own with --pin",
        directory.display()
    )]
    Taken {
        /// Which one.
        directory: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}; check who owns it, or use `--pin none`", path.display())]
    Refused {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A directory for the pins of one layout, beside those of others. No other agent uses any of them.
#[derive(Debug)]
pub(super) struct Pins {
    root: PathBuf,
    directory: PathBuf,
    _lock: File,
}

impl Pins {
    pub(super) fn open(pin: &Pin, slots: u32) -> Result<Option<Self>, PinsError> {
        match pin {
            Pin::Nowhere => Ok(None),
            Pin::At(root) => Self::at(root, slots).map(Some),
            Pin::IfPossible(root) => Ok(Self::at(root, slots)
                .inspect_err(|error| {
                    warn!(%error, "going on without pins: nothing is seen while no agent runs");
                })
                .ok()),
        }
    }

    fn at(root: &Path, slots: u32) -> Result<Self, PinsError> {
        let lock = lock(root)?;
        let directory = root.join(format!("{OURS}{LAYOUT:016x}-{slots}"));
        for part in [Part::Maps, Part::Programs, Part::Links] {
            let path = directory.join(part.name());
            fs::create_dir_all(&path).map_err(refused("make the directory", &path))?;
        }
        let said = Layout::own().write(&directory);
        said.map_err(refused("say the layout of what is pinned in", &directory))?;
        Ok(Self {
            root: root.to_owned(),
            directory,
            _lock: lock,
        })
    }

    pub(super) fn map(&self, name: &str) -> PathBuf {
        self.directory.join(Part::Maps.name()).join(name)
    }

    /// Under its id, so that it is pinned beside the one that it replaces.
    pub(super) fn program(&self, name: &str, id: u32) -> PathBuf {
        let programs = self.directory.join(Part::Programs.name());
        programs.join(format!("{name}-{id}"))
    }

    pub(super) fn link(&self, ifindex: u32, direction: Direction) -> PathBuf {
        link(&self.directory, ifindex, direction)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn of(&self, part: Part) -> Vec<PathBuf> {
        entries(&self.directory.join(part.name()))
    }

    /// The directories that agents of other layouts have left.
    pub(super) fn others(&self) -> Vec<PathBuf> {
        let mut others = versions(&self.root);
        others.retain(|version| *version != self.directory);
        others
    }
}

/// Where the link of an interface is pinned, below the directory of a layout.
pub(super) fn link(directory: &Path, ifindex: u32, direction: Direction) -> PathBuf {
    let links = directory.join(Part::Links.name());
    links.join(format!("{ifindex}-{}", program_name(direction)))
}

/// What is pinned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Maps,
    Programs,
    Links,
}

impl Part {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Maps => "maps",
            Self::Programs => "programs",
            Self::Links => "links",
        }
    }
}

/// The directories of all layouts below `root`.
pub(super) fn versions(root: &Path) -> Vec<PathBuf> {
    let mut versions = entries(root);
    versions.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(OURS) && path.is_dir()
    });
    versions
}

/// What is in a directory, ascending; nothing if there is none.
pub(super) fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Makes `root` ours alone for as long as the file lives, also if that is by a crash.
pub(super) fn lock(root: &Path) -> Result<File, PinsError> {
    let there = root.ancestors().find(|path| path.exists());
    let is_bpffs = there
        .map(|path| is_bpffs(path).map_err(refused("examine", path)))
        .transpose()?;
    if is_bpffs != Some(true) {
        return Err(PinsError::NotBpffs {
            directory: root.into(),
        });
    }
    fs::create_dir_all(root).map_err(refused("make the directory", root))?;
    let lock = File::open(root).map_err(refused("open the directory", root))?;
    let owner = lock.metadata().map_err(refused("examine", root))?.uid();
    if owner != geteuid().as_raw() {
        return Err(PinsError::Owner {
            directory: root.into(),
            owner,
        });
    }
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::AGAIN) => Err(PinsError::Taken {
            directory: root.into(),
        }),
        Err(error) => Err(refused("lock the directory", root)(error.into())),
    }
}

/// Whether the path is on a bpffs.
///
/// # Errors
/// When the kernel does not tell.
pub fn is_bpffs(path: &Path) -> io::Result<bool> {
    let kind = statfs(path)?;
    Ok(kind.f_type as u64 & 0xffff_ffff == BPF_FS_MAGIC)
}

pub(super) fn remove(path: &Path) -> Result<(), PinsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(refused("remove the pin", path)(error))
        }
        _ => Ok(()),
    }
}

pub(super) fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PinsError {
    move |source| PinsError::Refused {
        action,
        path: path.into(),
        source,
    }
}
