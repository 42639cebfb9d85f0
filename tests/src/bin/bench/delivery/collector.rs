//! The real collector, in a process of its own.

use std::{fs, net::TcpListener, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use api::transport::Remote;
use tests::{Process, binary, guarded, wait_for};

use super::store::Store;

const LIMIT: Duration = Duration::from_secs(30);

/// A collector on loopback.
pub(crate) struct Collector {
    process: Process,
    database: String,
    grpc: u16,
    http: u16,
}

impl Collector {
    /// Starts it on a store.
    pub(crate) fn start(store: &Store) -> Result<Self> {
        let (grpc, http) = (free_port()?, free_port()?);
        Self::start_at(store.database(), grpc, http)
    }

    fn start_at(database: String, grpc: u16, http: u16) -> Result<Self> {
        let mut command = guarded(binary("picket-collector")?);
        command
            .args(["--listen", &format!("127.0.0.1:{grpc}")])
            .args(["--metrics", &format!("127.0.0.1:{http}")])
            .args(["--page", "none"])
            .args([
                "--database",
                &database,
                "--log",
                "warn,collector::server=info",
            ]);
        let mut process = Process::spawn("picket-collector", &mut command)?;
        process.wait_for_line("ready", LIMIT)?;
        Ok(Self {
            process,
            database,
            grpc,
            http,
        })
    }

    /// Ends it as an operator would.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.process.terminate(LIMIT).map(drop)
    }

    /// Starts it again where it was, after it was stopped.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        *self = Self::start_at(self.database.clone(), self.grpc, self.http)?;
        Ok(())
    }

    /// Where agents and subscribers connect.
    pub(crate) fn remote(&self) -> Result<Remote> {
        Ok(format!("http://127.0.0.1:{}", self.grpc).parse()?)
    }

    /// The most memory it has had, in MiB.
    pub(crate) fn peak_rss_mib(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        Ok(kib.context("the kernel does not tell the peak of its memory")? / 1024.0)
    }

    /// Fails with what it said when it no longer runs.
    pub(crate) fn check(&mut self) -> Result<()> {
        if self.process.is_running()? {
            return Ok(());
        }
        Err(anyhow!("the collector ended{}", self.process.log()))
    }
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    wait_for("a free port", LIMIT, || {
        Ok(TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .ok())
    })
    .map(|address| address.port())
}
