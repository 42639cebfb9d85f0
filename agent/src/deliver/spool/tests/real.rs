//! Real directories: one that is small and full, one that cannot be written to, one that is taken.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use api::v1::{self, Durability, Severity};
use rustix::{
    mount::{MountFlags, UnmountFlags, mount, unmount},
    process::geteuid,
};
use tokio::time::timeout;

use super::super::{Place, Position, Spool, SpoolError, Spooling, Told, lock::LockError};
use crate::deliver::Metrics;

const CAPACITY_BYTES: u64 = 1024 * 1024;

fn open(path: &Path) -> Result<Spool, SpoolError> {
    let spooling = Spooling {
        place: Place::At(path.into()),
        capacity_bytes: CAPACITY_BYTES,
    };
    Spool::open(&spooling, Metrics::default())
}

fn raise(spool: &Spool, sequences: std::ops::RangeInclusive<u64>) {
    for sequence in sequences {
        spool.raise(Arc::new(v1::Event {
            id: Some(v1::EventId {
                node: "n1".into(),
                epoch: 7,
                sequence,
            }),
            severity: Severity::Medium.into(),
            summary: "a scan ".repeat(60),
            ..v1::Event::default()
        }));
    }
}

async fn until(spool: &Spool, what: &str, condition: impl FnMut(&Told) -> bool) {
    let mut told = spool.told();
    let waited = timeout(Duration::from_secs(60), told.wait_for(condition)).await;
    assert!(waited.is_ok(), "{what} never came");
}

/// Delivers all there is in an epoch.
async fn delivered(spool: &Spool) -> Vec<u64> {
    let mut sequences = Vec::new();
    let mut after = Position::at(7, 0);
    spool.resume(after).await;
    loop {
        let batch = spool.batch(after).await;
        if batch.is_empty() {
            return sequences;
        }
        assert!(batch.gaps.is_empty(), "{:?}", batch.gaps);
        let ids = batch.events.iter().filter_map(|event| event.id.as_ref());
        sequences.extend(ids.map(|id| id.sequence));
        after.sequence = batch.last;
        spool.acknowledge(after);
    }
}

#[tokio::test]
async fn events_outlive_their_agent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/spool");
    let spool = open(&path).unwrap();
    raise(&spool, 1..=500);
    until(&spool, "the disk", |told| told.is_flushed).await;
    assert_eq!(*spool.spooled().borrow(), 500);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for file in fs::read_dir(&path).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    drop(spool);

    let spool = open(&path).unwrap();
    assert_eq!(spool.newest_epoch(), 7);
    assert_eq!(spool.told().borrow().pending, 500);
    assert_eq!(delivered(&spool).await, Vec::from_iter(1..=500));
    until(&spool, "the end", |told| told.pending == 0).await;
    drop(spool);
    let files = fs::read_dir(&path).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert!(names.len() <= 2, "a lock and a ledger, not {names:?}");
}

#[test]
fn a_directory_has_one_agent_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path()).unwrap();
    let error = open(directory.path()).unwrap_err();
    let SpoolError::Directory(error @ LockError::Taken { .. }) = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains("another agent does"), "{error}");
    drop(spool);
    open(directory.path()).unwrap();
}

#[test]
fn only_a_directory_that_was_asked_for_must_be_usable() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let path = file.join("spool");
    let error = open(&path).unwrap_err();
    assert!(error.to_string().contains("let --spool name"), "{error}");
    let spooling = Spooling {
        place: Place::IfPossible(path),
        capacity_bytes: CAPACITY_BYTES,
    };
    let spool = Spool::open(&spooling, Metrics::default()).unwrap();
    let status = spool.told().borrow().status.clone();
    assert_eq!(status.durability(), Durability::Volatile);
    assert!(status.reason.contains("let --spool name"), "{status:?}");
}

/// A small disk of its own.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    /// None, and a word on why, without the right to mount; `PICKET_REQUIRE_ROOT` forbids that.
    fn mount() -> Option<Self> {
        if !geteuid().is_root() {
            let is_required = std::env::var_os("PICKET_REQUIRE_ROOT").is_some_and(|v| v == "1");
            assert!(
                !is_required,
                "mounting needs root, and PICKET_REQUIRE_ROOT=1 forbids skipping"
            );
            eprintln!("skipped: mounting needs root: run the same command with sudo");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let options = c"size=256k,mode=0700";
        mount(
            "tmpfs",
            directory.path(),
            "tmpfs",
            MountFlags::empty(),
            options,
        )
        .unwrap();
        Some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn set_read_only(&self, is_read_only: bool) -> rustix::io::Result<()> {
        let flags = if is_read_only {
            MountFlags::RDONLY
        } else {
            MountFlags::empty()
        };
        rustix::mount::mount_remount(self.path(), flags, c"")
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        unmount(self.path(), UnmountFlags::DETACH).unwrap_or_default();
    }
}

fn is_volatile(told: &Told) -> bool {
    told.status.durability() == Durability::Volatile
}

#[tokio::test]
async fn a_full_disk_turns_events_volatile_until_there_is_room() {
    let Some(disk) = Tmpfs::mount() else { return };
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![1; 128 * 1024]).unwrap();
    let spool = open(disk.path()).unwrap();
    raise(&spool, 1..=100);
    until(&spool, "the disk", |told| told.is_flushed).await;
    raise(&spool, 101..=500);
    until(&spool, "the full disk", is_volatile).await;
    let reason = spool.told().borrow().status.reason.clone();
    assert!(reason.contains("No space left"), "{reason}");
    // Both what is on the disk and what is not.
    fs::remove_file(&ballast).unwrap();
    let before = delivered(&spool).await;
    assert_eq!(before, Vec::from_iter(1..=500));
    raise(&spool, 501..=520);
    until(&spool, "room", |told| told.is_flushed).await;
    let batch = spool.batch(Position::at(7, 500)).await;
    assert_eq!((batch.events.len(), batch.last), (20, 520));
}

#[tokio::test]
async fn a_disk_that_turns_read_only_turns_events_volatile() {
    let Some(disk) = Tmpfs::mount() else { return };
    let spool = open(disk.path()).unwrap();
    raise(&spool, 1..=10);
    until(&spool, "the disk", |told| told.is_flushed).await;
    drop(spool);
    disk.set_read_only(true).unwrap();
    // It is no reason not to start.
    let spool = open(disk.path()).unwrap();
    raise(&spool, 11..=20);
    until(&spool, "the refusal", is_volatile).await;
    disk.set_read_only(false).unwrap();
    until(&spool, "the disk", |told| told.is_flushed).await;
    assert_eq!(delivered(&spool).await, Vec::from_iter(1..=20));
}
