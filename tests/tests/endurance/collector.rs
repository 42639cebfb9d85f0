//! A real collector that is killed and comes back.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use rustix::process::Signal;
use tests::{Process, binary, guarded};

const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Collector {
    process: Process,
    folder: PathBuf,
    database: String,
}

impl Collector {
    /// Starts it in `folder`, on a database as `--database` takes it.
    pub(crate) fn start(folder: &Path, database: &str) -> Result<Self> {
        let mut command = guarded(binary("picket-collector")?);
        command
            .arg("--listen")
            .arg(format!("unix:{}", socket(folder).display()))
            .args([
                "--metrics",
                "127.0.0.1:0",
                "--page",
                "none",
                "--log",
                "warn,collector::server=info",
                "--database",
                database,
            ]);
        let mut process = Process::spawn("picket-collector", &mut command)?;
        // It listens before; but one whose database goes while it starts gives up.
        process.wait_for_line("ready", LIMIT)?;
        Ok(Self {
            process,
            folder: folder.into(),
            database: database.into(),
        })
    }

    /// Kills it and starts it again.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.signal(Signal::KILL)?;
        self.process.wait(LIMIT)?;
        *self = Self::start(&self.folder, &self.database)?;
        Ok(())
    }

    /// Its last lines, for an error message.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// Where a collector in `folder` listens.
pub(crate) fn socket(folder: &Path) -> PathBuf {
    folder.join("collector.sock")
}
