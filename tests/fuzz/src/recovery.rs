//! Puts files on a disk in memory, and lets a journal deliver what it finds there.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use api::{encoding, v1};

use super::{
    disk::{Disk, Output},
    journal::{Entry, Journal, Limits},
    ledger,
    loss::Level,
    record::HEADER_BYTES,
    segment::Segment,
};

const LIMITS: Limits = Limits {
    capacity_bytes: 128 * 1024,
    segment_bytes: 8 * 1024,
};
/// Beyond any that a few kilobytes can ask for.
const MOST_BATCHES: usize = 10_000;
const EPOCH: u64 = 2;

/// The files are in the input one after the other: which, a length of two bytes, and what is in it.
pub(crate) fn run(input: &[u8]) {
    let disk = Memory::default();
    let (mut rest, mut start) = (input, 1);
    while let Some((&[which, low, high], bytes)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([low, high])).min(bytes.len());
        let name = match which % 8 {
            7 => ledger::NAME.to_owned(),
            6 => ledger::DRAFT.to_owned(),
            kind => {
                let level = Level::ALL[usize::from(kind % 4)];
                let epoch = 1 + u64::from(kind / 4);
                Segment::new(level, epoch, start).name()
            }
        };
        // Sequences of later files are later.
        start += u64::from(which / 8 % 16);
        let mut file = bytes[..length].to_vec();
        if which >= 128 {
            mend(&mut file);
        }
        disk.files().insert(name, file);
        rest = &bytes[length..];
    }
    let disk: Arc<dyn Disk> = Arc::new(disk);
    for _ in 0..2 {
        let mut journal = open(&disk);
        let epoch = journal.newest_epoch().saturating_add(1);
        for sequence in 1..=20 {
            append(&mut journal, epoch, sequence);
        }
        deliver(&mut journal, 1);
    }
    let mut journal = open(&disk);
    deliver(&mut journal, MOST_BATCHES);
    assert_eq!(journal.pending(), 0, "something is never delivered");
    journal.close().expect("a disk that works");
}

/// Puts the checksums right, which no fuzzer guesses: what is behind them is to be reached as well.
fn mend(file: &mut [u8]) {
    let mut rest = file;
    while rest.len() > HEADER_BYTES {
        let length = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        let end = HEADER_BYTES.saturating_add(length);
        if end > rest.len() {
            return;
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&rest[..4]);
        hasher.update(&rest[8..end]);
        rest[4..8].copy_from_slice(&hasher.finalize().to_le_bytes());
        rest = &mut rest[end..];
    }
}

fn open(disk: &Arc<dyn Disk>) -> Journal {
    Journal::open(Arc::clone(disk), LIMITS).expect("a disk that works")
}

fn append(journal: &mut Journal, epoch: u64, sequence: u64) {
    let event = v1::Event {
        id: Some(v1::EventId {
            node: "n1".into(),
            epoch,
            sequence,
        }),
        summary: "a scan ".repeat(100),
        ..v1::Event::default()
    };
    let mut group = vec![Entry {
        epoch,
        sequence,
        level: Level::ALL[sequence as usize % 4],
        raised: Some((1, 0)),
        payload: encoding::encode(&event).into(),
    }];
    journal.make_room(&mut group).expect("a disk that works");
    journal.append(&group).expect("a disk that works");
}

fn deliver(journal: &mut Journal, most: usize) {
    let mut batches = 0;
    while let Some(epoch) = journal.oldest_epoch() {
        let mut after = 0;
        journal.resume(epoch, after);
        loop {
            let batch = journal.batch(epoch, after, &[]).expect("a disk that works");
            if batch.is_empty() {
                break;
            }
            assert!(batch.last > after, "it goes backwards");
            after = batch.last;
            journal.acknowledge(epoch, after);
            batches += 1;
            if batches == most {
                assert_ne!(most, MOST_BATCHES, "it never ends");
                return;
            }
        }
        assert_ne!(
            journal.oldest_epoch(),
            Some(epoch),
            "an epoch that never ends: {journal:?}"
        );
    }
}

/// Writes a spool that is as it should be, if there is a folder for seeds.
pub(crate) fn plant() {
    let Some(folder) = env::var_os("PICKET_SEEDS") else {
        return;
    };
    let disk = Memory::default();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut journal = open(&shared);
    for sequence in 1..=8 {
        append(&mut journal, EPOCH, sequence);
    }
    journal.batch(EPOCH, 0, &[]).expect("a disk that works");
    let mut seed = Vec::new();
    for (name, bytes) in disk.files().iter() {
        let which = match Segment::named(name) {
            Some(segment) => segment.level.index() as u8 + 8 + 128,
            None => 7 + 128,
        };
        let length = u16::try_from(bytes.len()).expect("a small file");
        seed.push(which);
        seed.extend(length.to_le_bytes());
        seed.extend(bytes);
    }
    let place = Path::new(&folder).join("seed");
    fs::write(&place, seed).unwrap_or_else(|error| panic!("cannot write {place:?}: {error}"));
}

type Files = BTreeMap<String, Vec<u8>>;

/// A disk in memory. Clones share it.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Files>>);

#[derive(Debug)]
struct End(Memory, String);

impl Memory {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().expect("nothing panics with it")
    }
}

impl Disk for Memory {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let files = self.files();
        let files = files.iter();
        Ok(files
            .map(|(name, bytes)| (name.clone(), bytes.len() as u64))
            .collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        self.files().insert(name.into(), Vec::new());
        Ok(Box::new(End(self.clone(), name.into())))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let files = self.files();
        let bytes = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        if let Some(bytes) = self.files().get_mut(name) {
            bytes.truncate(length as usize);
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files();
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.into(), bytes);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files().remove(name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for End {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self(disk, name) = self;
        let mut files = disk.files();
        files
            .entry(name.clone())
            .or_default()
            .extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
