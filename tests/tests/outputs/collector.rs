//! A real collector with outputs, that is killed and comes back.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::Signal;
use tests::{Process, binary, guarded, wait_for};

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Collector {
    process: Process,
    folder: PathBuf,
    database: String,
    metrics: String,
}

impl Collector {
    /// Starts it in `folder`, with what this file of outputs says.
    pub(crate) fn start(folder: &Path, outputs: &str) -> Result<Self> {
        let database = folder.join("picket.db").display().to_string();
        Self::start_on(folder, &database, outputs)
    }

    /// The same, on a database as `--database` takes it.
    pub(crate) fn start_on(folder: &Path, database: &str, outputs: &str) -> Result<Self> {
        fs::write(folder.join("outputs.yaml"), outputs)?;
        Self::run(folder, database)
    }

    fn run(folder: &Path, database: &str) -> Result<Self> {
        let mut command = guarded(binary("picket-collector")?);
        command
            .current_dir(folder)
            .arg("--listen")
            .arg(format!("unix:{}", socket(folder).display()))
            .args(["--metrics", "127.0.0.1:0", "--page", "none"])
            .args(["--database", database, "--outputs", "outputs.yaml"]);
        let mut process = Process::spawn("picket-collector", &mut command)?;
        wait_for("the collector to answer", LIMIT, || {
            if !process.is_running()? {
                bail!("the collector ended at once");
            }
            Ok(UnixStream::connect(socket(folder)).ok())
        })
        .map_err(|error| anyhow!("{error:#}{}", process.log()))?;
        let line = process.wait_for_line("serving metrics", LIMIT)?;
        let metrics = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("listen="));
        let metrics = metrics.context("no address of metrics")?.to_owned();
        Ok(Self {
            process,
            folder: folder.into(),
            database: database.into(),
            metrics,
        })
    }

    /// Kills it and starts it again.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.signal(Signal::KILL)?;
        self.process.wait(LIMIT)?;
        *self = Self::run(&self.folder, &self.database)?;
        Ok(())
    }

    /// Asks it to end, and starts it again.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.process.terminate(LIMIT)?;
        *self = Self::run(&self.folder, &self.database)?;
        Ok(())
    }

    /// Writes another file of outputs, as an editor does.
    pub(crate) fn configure(&self, outputs: &str) -> Result<()> {
        let fresh = self.folder.join("outputs.yaml.new");
        fs::write(&fresh, outputs)?;
        fs::rename(fresh, self.folder.join("outputs.yaml"))?;
        Ok(())
    }

    pub(crate) fn wait_for_line(&mut self, needle: &str) -> Result<String> {
        self.process.wait_for_line(needle, LIMIT)
    }

    /// Where its metrics are served.
    pub(crate) fn metrics(&self) -> Result<std::net::SocketAddr> {
        Ok(self.metrics.parse()?)
    }

    /// The value of one metric, with its labels as they are written.
    pub(crate) fn metric(&self, name: &str) -> Result<u64> {
        let text = crate::receiver::get(self.metrics()?, "/metrics")?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.with_context(|| format!("no {name} in {text}"))?;
        Ok(value.trim().parse()?)
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
