//! A disk in memory whose n-th operation fails, or is the last before the power goes.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use super::super::disk::{Disk, Output};

/// What goes wrong, counted from the first operation on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Trouble {
    #[default]
    None,
    /// One operation fails.
    Once(usize),
    /// All fail from one on, until somebody mends it.
    From(usize),
    /// All that write fail.
    Writes,
}

#[derive(Clone, Debug, Default)]
struct Node {
    written: Vec<u8>,
    synced: Vec<u8>,
}

type Names = BTreeMap<String, usize>;

#[derive(Debug, Default)]
struct Inner {
    nodes: Vec<Node>,
    names: Names,
    synced_names: Names,
    operations: usize,
    trouble: Trouble,
    /// Bytes that fit at most.
    room: Option<usize>,
}

/// Clones share one disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Power(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct End {
    disk: Power,
    node: usize,
}

impl Power {
    pub(super) fn with(trouble: Trouble) -> Self {
        let disk = Self::default();
        disk.inner().trouble = trouble;
        disk
    }

    pub(super) fn operations(&self) -> usize {
        self.inner().operations
    }

    pub(super) fn mend(&self) {
        self.inner().trouble = Trouble::None;
        self.inner().room = None;
    }

    pub(super) fn fail(&self) {
        self.inner().trouble = Trouble::Writes;
    }

    pub(super) fn fill(&self) {
        let mut inner = self.inner();
        inner.room = Some(inner.bytes());
    }

    /// What is there after the power went: what was synced. Of the rest, half a file may have arrived.
    pub(super) fn cut(&self, half_arrived: bool) -> Self {
        let inner = self.inner();
        let mut after = Inner::default();
        for (name, node) in &inner.synced_names {
            let Node { written, synced } = &inner.nodes[*node];
            let mut bytes = synced.clone();
            if half_arrived && written.starts_with(synced) {
                bytes = written[..synced.len() + (written.len() - synced.len()) / 2].to_vec();
            }
            let node = Node {
                written: bytes.clone(),
                synced: bytes,
            };
            after.names.insert(name.clone(), after.nodes.len());
            after.nodes.push(node);
        }
        after.synced_names = after.names.clone();
        Self(Arc::new(Mutex::new(after)))
    }

    /// Changes the bytes of a file, as a disk does that goes bad.
    pub(super) fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.inner();
        let node = inner.names[name];
        change(&mut inner.nodes[node].written);
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.inner().names.keys().cloned().collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.inner().bytes()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Counts an operation, and says whether it fails.
    fn operation(&self, is_write: bool) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.inner();
        let at = inner.operations;
        inner.operations += 1;
        match inner.trouble {
            Trouble::Once(once) if once == at => Err(io::Error::other("this one fails")),
            Trouble::From(from) if at >= from => Err(io::Error::other("all fail")),
            Trouble::Writes if is_write => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            _ => Ok(inner),
        }
    }
}

impl Inner {
    fn bytes(&self) -> usize {
        self.names
            .values()
            .map(|node| self.nodes[*node].written.len())
            .sum()
    }

    fn node(&self, name: &str) -> io::Result<usize> {
        let node = self.names.get(name).copied();
        node.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for Power {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let inner = self.operation(false)?;
        let length = |node: &usize| inner.nodes[*node].written.len() as u64;
        let files = inner.names.iter();
        Ok(files
            .map(|(name, node)| (name.clone(), length(node)))
            .collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        let mut inner = self.operation(true)?;
        let node = inner.nodes.len();
        inner.nodes.push(Node::default());
        inner.names.insert(name.into(), node);
        Ok(Box::new(End {
            disk: self.clone(),
            node,
        }))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let inner = self.operation(false)?;
        let bytes = &inner.nodes[inner.node(name)?].written;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        let mut inner = self.operation(true)?;
        let Ok(node) = inner.node(name) else {
            return Ok(());
        };
        let node = &mut inner.nodes[node];
        node.written.truncate(length as usize);
        node.synced = node.written.clone();
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.operation(true)?;
        let node = inner.node(from)?;
        inner.names.remove(from);
        inner.names.insert(to.into(), node);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.operation(true)?.names.remove(name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.operation(true)?;
        inner.synced_names = inner.names.clone();
        Ok(())
    }
}

impl Output for End {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // What fails half-way has written half.
        let half = &bytes[..bytes.len() / 2];
        match self.disk.operation(true) {
            Ok(mut inner) => {
                let is_full = inner
                    .room
                    .is_some_and(|room| inner.bytes() + bytes.len() > room);
                let written = &mut inner.nodes[self.node].written;
                if is_full {
                    written.extend_from_slice(half);
                    return Err(io::ErrorKind::StorageFull.into());
                }
                written.extend_from_slice(bytes);
                Ok(())
            }
            Err(error) => {
                let mut inner = self.disk.inner();
                inner.nodes[self.node].written.extend_from_slice(half);
                Err(error)
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inner = self.disk.operation(true)?;
        let node = &mut inner.nodes[self.node];
        node.synced = node.written.clone();
        Ok(())
    }
}
