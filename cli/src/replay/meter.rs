//! How much of a capture has been read, for whoever waits at a terminal.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

const EVERY: Duration = Duration::from_secs(1);

/// A line on standard error that is written over and over until this is dropped; nothing when that is no terminal.
#[derive(Debug)]
pub(super) struct Meter {
    running: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Meter {
    /// Of a file that the process reads from its beginning to its end.
    pub(super) fn start(process: u32, file: &Path) -> Self {
        // Events that go to the same terminal show by themselves that it goes on.
        let is_wanted = io::stderr().is_terminal() && !io::stdout().is_terminal();
        let running = is_wanted.then(|| {
            let (end, ended) = sync_channel(1);
            let file = file.to_owned();
            let telling = thread::spawn(move || {
                while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    if let Some(percent) = percent(process, &file) {
                        // Nobody is left to tell when stderr is closed too.
                        write!(io::stderr(), "\r\x1b[K{percent} % of the capture read").ok();
                    }
                }
                write!(io::stderr(), "\r\x1b[K").ok();
            });
            (end, telling)
        });
        Self { running }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some((end, telling)) = self.running.take() {
            drop(end);
            // It has nothing to say that would matter.
            telling.join().ok();
        }
    }
}

/// How far the process is in the file, as the kernel tells (proc_pid_fdinfo(5)); none when it has not opened it.
fn percent(process: u32, file: &Path) -> Option<u64> {
    let file = fs::canonicalize(file).ok()?;
    let length = fs::metadata(&file).ok()?.len().max(1);
    let folder = PathBuf::from(format!("/proc/{process}"));
    let mut opened = fs::read_dir(folder.join("fd")).ok()?.flatten();
    let opened = opened.find(|it| fs::read_link(it.path()).is_ok_and(|it| it == file))?;
    let info = fs::read_to_string(folder.join("fdinfo").join(opened.file_name())).ok()?;
    let place = info.lines().find_map(|it| it.strip_prefix("pos:"))?;
    let place: u64 = place.trim().parse().ok()?;
    Some(place.min(length) * 100 / length)
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, process};

    use super::*;

    #[test]
    fn the_kernel_tells_how_far_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scan.pcap");
        fs::write(&path, [0; 200]).unwrap();
        assert_eq!(percent(process::id(), &path), None);
        let mut file = fs::File::open(&path).unwrap();
        file.read_exact(&mut [0; 150]).unwrap();
        assert_eq!(percent(process::id(), &path), Some(75));
    }
}
