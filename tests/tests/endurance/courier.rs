//! The delivery of an agent in a process of its own, that is killed and comes back.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use tests::{Process, binary, guarded};

const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Courier {
    node: String,
    folder: PathBuf,
    collector: PathBuf,
    process: Option<Process>,
}

impl Courier {
    /// One that keeps its spool and its journal in a folder of its own below `folder`.
    pub(crate) fn new(node: &str, folder: &Path, collector: &Path) -> Result<Self> {
        let folder = folder.join(node);
        fs::create_dir_all(&folder)?;
        Ok(Self {
            node: node.into(),
            folder,
            collector: collector.into(),
            process: None,
        })
    }

    /// Starts it; it raises so many events a second.
    pub(crate) fn start(&mut self, rate: u32, options: &[&str]) -> Result<()> {
        let mut command = guarded(binary("courier")?);
        command
            .args(["--node", &self.node, "--rate", &rate.to_string()])
            .arg("--collector")
            .arg(format!("unix:{}", self.collector.display()))
            .arg("--folder")
            .arg(&self.folder)
            .args(options);
        self.process = Some(Process::spawn("courier", &mut command)?);
        Ok(())
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the courier does not run")?;
        ensure!(
            process.is_running()?,
            "the courier ended by itself{}",
            process.log()
        );
        process.signal(Signal::KILL)?;
        process.wait(LIMIT).map(drop)
    }

    /// Asks it to raise no more and to leave when all is delivered.
    pub(crate) fn finish(&mut self, limit: Duration) -> Result<()> {
        let mut process = self.process.take().context("the courier does not run")?;
        // Before it listens, a signal would end it at once.
        process.wait_for_line("ready", limit)?;
        let status = process.terminate(limit)?;
        ensure!(
            status.success(),
            "the courier failed: {status}{}",
            process.log()
        );
        Ok(())
    }

    /// Node, epoch, and up to which sequence its events were durable, of each start.
    pub(crate) fn durable(&self) -> Result<Vec<(String, u64, u64)>> {
        let journal = match fs::read_to_string(self.folder.join("journal")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            journal => journal?,
        };
        let mut epochs = BTreeMap::new();
        for line in journal.lines() {
            // The last line of one that was killed may be cut.
            if let Some((epoch, sequence)) = line.split_once(' ')
                && let (Ok(epoch), Ok(sequence)) = (epoch.parse(), sequence.parse())
            {
                epochs.insert(epoch, sequence);
            }
        }
        let node = |(epoch, sequence)| (self.node.clone(), epoch, sequence);
        Ok(epochs.into_iter().map(node).collect())
    }
}
