//! A real directory.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

use super::disk::{Disk, Output};

/// What the agent writes is for nobody else.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Makes the directory unless it is there.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        if !path.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(DIRECTORY_MODE)
                .create(&path)?;
        }
        Ok(Self(path))
    }

    /// A file to lock, which a disk that is full or read-only lets open when it is there already.
    pub(super) fn lock_file(&self, name: &str) -> io::Result<File> {
        let path = self.0.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let made = options.mode(FILE_MODE).open(&path);
        made.or_else(|error| match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull => {
                File::open(&path).map_err(|_| error)
            }
            _ => Err(error),
        })
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                files.push((name, metadata.len()));
            }
        }
        Ok(files)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        Ok(Box::new(options.mode(FILE_MODE).open(self.0.join(name))?))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = File::open(self.0.join(name))?;
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(bytes) => filled += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        match OpenOptions::new().write(true).open(self.0.join(name)) {
            Ok(file) => {
                file.set_len(length)?;
                file.sync_data()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

impl Output for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
