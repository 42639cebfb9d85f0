//! A real collector that is killed and comes back.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, anyhow, bail};
use rustix::process::Signal;
use tests::{Process, binary, guarded, wait_for};

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
                "warn",
                "--database",
                database,
            ]);
        let mut process = Process::spawn("picket-collector", &mut command)?;
        wait_for("the collector to answer", LIMIT, || {
            if !process.is_running()? {
                bail!("the collector ended at once");
            }
            Ok(UnixStream::connect(socket(folder)).ok())
        })
        .map_err(|error| anyhow!("{error:#}{}", process.log()))?;
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
