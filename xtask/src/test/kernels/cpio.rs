//! Writes an initramfs: a cpio archive of the format `newc` (Linux, `driver-api/early-userspace/buffer-format`).

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;
const END: &str = "TRAILER!!!";

/// An archive that is written as it grows.
pub(super) struct Archive<W> {
    out: W,
    directories: BTreeSet<String>,
    entries: u32,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            directories: BTreeSet::new(),
            entries: 0,
        }
    }

    /// Adds a directory, and those above it.
    pub(super) fn directory(&mut self, path: &str) -> io::Result<()> {
        let ends = path.match_indices('/').map(|(end, _)| end);
        for end in ends.chain([path.len()]).filter(|&end| end > 0) {
            if self.directories.insert(path[..end].to_owned()) {
                self.entry(&path[..end], DIRECTORY, (0, 0), &[])?;
            }
        }
        Ok(())
    }

    /// Adds a file that anyone may read and run.
    pub(super) fn file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        self.parent(path)?;
        self.entry(path, EXECUTABLE, (0, 0), content)
    }

    pub(super) fn device(&mut self, path: &str, number: (u32, u32)) -> io::Result<()> {
        self.parent(path)?;
        self.entry(path, CHARACTER_DEVICE, number, &[])
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.entry(END, 0, (0, 0), &[])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn parent(&mut self, path: &str) -> io::Result<()> {
        match path.rsplit_once('/') {
            Some((parent, _)) => self.directory(parent),
            None => Ok(()),
        }
    }

    fn entry(
        &mut self,
        path: &str,
        mode: u32,
        device: (u32, u32),
        content: &[u8],
    ) -> io::Result<()> {
        let path = path.trim_start_matches('/');
        self.entries += 1;
        let links = 1;
        let fields = [
            self.entries,
            mode,
            0,
            0,
            links,
            0,
            length(content)?,
            0,
            0,
            device.0,
            device.1,
            length(path.as_bytes())? + 1,
            0,
        ];
        self.out.write_all(b"070701")?;
        for field in fields {
            write!(self.out, "{field:08x}")?;
        }
        self.out.write_all(path.as_bytes())?;
        let header = 110 + path.len() + 1;
        self.out.write_all(&vec![0; 1 + padding(header)])?;
        self.out.write_all(content)?;
        self.out.write_all(&vec![0; padding(content.len())])
    }
}

fn length(content: &[u8]) -> io::Result<u32> {
    u32::try_from(content.len()).map_err(io::Error::other)
}

/// Headers and contents begin at multiples of four.
const fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_as_the_kernel_reads_them() {
        let mut archive = Archive::new(Vec::new());
        archive.device("/dev/console", (5, 1)).unwrap();
        archive.file("/dev/a", b"12345").unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % 4, 0);

        let text = String::from_utf8(bytes).unwrap();
        let at: Vec<_> = text.match_indices("070701").map(|(at, _)| at).collect();
        assert!(at.iter().all(|at| at % 4 == 0), "{at:?}");
        let field = |entry: usize, field: usize| {
            let start = at[entry] + 6 + field * 8;
            u32::from_str_radix(&text[start..start + 8], 16).unwrap()
        };
        let names = ["dev\0", "dev/console\0", "dev/a\0", "TRAILER!!!\0"];
        assert_eq!(at.len(), names.len());
        for (entry, name) in names.iter().enumerate() {
            assert!(text[at[entry] + 110..].starts_with(name), "{name}");
            assert_eq!(field(entry, 11) as usize, name.len(), "{name}");
        }
        assert_eq!([field(0, 1), field(1, 1)], [DIRECTORY, CHARACTER_DEVICE]);
        assert_eq!([field(1, 9), field(1, 10)], [5, 1]);
        assert_eq!(field(2, 6), 5);
    }
}
