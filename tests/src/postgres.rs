//! A PostgreSQL server of the lab's own: a primary, and a standby that may take over.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    deadline::wait_for,
    process::{Process, run},
};

/// Where Debian puts each release.
const RELEASES: &str = "/usr/lib/postgresql";
/// PostgreSQL does not run as root; this user is on every system.
const NOBODY: u32 = 65534;
const USER: &str = "picket";

/// A running server on a Unix socket, which ends with this.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    programs: PathBuf,
    directory: TempDir,
}

impl Postgres {
    /// Makes an empty cluster and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start within `limit`.
    pub fn start(limit: Duration) -> Result<Self> {
        let (programs, directory) = prepare()?;
        let mut initdb = unprivileged(programs.join("initdb"));
        initdb
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--username",
                USER,
            ])
            .arg("--pgdata")
            .arg(directory.path().join("data"));
        run("initdb", &mut initdb, limit)?.success()?;
        Self::serve(programs, directory, &[], limit)
    }

    /// Makes a standby that follows this server, whose commits wait for it from now on.
    ///
    /// # Errors
    /// When it does not follow within `limit`.
    pub fn synchronous_standby(&mut self, limit: Duration) -> Result<Self> {
        let (programs, directory) = prepare()?;
        let mut copy = unprivileged(programs.join("pg_basebackup"));
        copy.args([
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--username",
            USER,
            "--host",
        ])
        .arg(self.directory.path())
        .arg("--pgdata")
        .arg(directory.path().join("data"));
        run("pg_basebackup", &mut copy, limit)?.success()?;
        let standby = Self::serve(programs, directory, &["hot_standby=on"], limit)?;
        // In the primary's own file, which the standby's copy does not have: it must not wait for anyone.
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'", limit)?;
        self.execute("SELECT pg_reload_conf()", limit)?;
        wait_for("the standby to be synchronous", limit, || {
            let state = self.execute("SELECT sync_state FROM pg_stat_replication", limit)?;
            Ok((state.trim() == "sync").then_some(()))
        })?;
        Ok(standby)
    }

    fn serve(
        programs: PathBuf,
        directory: TempDir,
        settings: &[&str],
        limit: Duration,
    ) -> Result<Self> {
        let mut server = unprivileged(programs.join("postgres"));
        server.arg("-D").arg(directory.path().join("data"));
        let socket = format!("unix_socket_directories={}", directory.path().display());
        let common = ["listen_addresses=", "max_connections=200", &socket];
        for setting in common.iter().chain(settings) {
            server.args(["-c", setting]);
        }
        let process = Process::spawn("postgres", &mut server)?;
        let mut started = Self {
            process,
            programs,
            directory,
        };
        wait_for("PostgreSQL to answer", limit, || {
            if !started.process.is_running()? {
                bail!("PostgreSQL ended{}", started.process.log());
            }
            Ok(started.execute("SELECT 1", limit).ok())
        })
        .map_err(|error| anyhow!("{error:#}{}", started.process.log()))?;
        Ok(started)
    }

    /// Runs a statement, and returns what it prints.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn execute(&self, statement: &str, limit: Duration) -> Result<String> {
        let mut psql = unprivileged(self.programs.join("psql"));
        psql.args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--quiet",
            "--username",
            USER,
        ])
        .args(["--dbname", "postgres", "--command", statement, "--host"])
        .arg(self.directory.path());
        Ok(run("psql", &mut psql, limit)?.success()?.stdout)
    }

    /// As a client takes it.
    #[must_use]
    pub fn url(&self) -> String {
        url(&[self])
    }

    /// Cuts every client's connection.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn cut_connections(&self, limit: Duration) -> Result<()> {
        let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        self.execute(statement, limit).map(drop)
    }

    /// Kills all its processes, as a loss of power would.
    ///
    /// # Errors
    /// When it does not end within `limit`.
    pub fn kill(&mut self, limit: Duration) -> Result<()> {
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        self.process.signal(Signal::KILL)?;
        for child in children.split_whitespace() {
            // Some end by themselves once their parent is gone.
            if let Some(child) = child.parse().ok().and_then(Pid::from_raw) {
                kill_process(child, Signal::KILL).ok();
            }
        }
        self.process.wait(limit).map(drop)
    }

    /// Makes a standby the primary.
    ///
    /// # Errors
    /// When it is none, or does not take over within `limit`.
    pub fn promote(&self, limit: Duration) -> Result<()> {
        let mut promote = unprivileged(self.programs.join("pg_ctl"));
        promote
            .args(["promote", "--wait", "--pgdata"])
            .arg(self.directory.path().join("data"));
        run("pg_ctl", &mut promote, limit)?.success().map(drop)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once: nobody needs its data any more.
        self.process.signal(Signal::QUIT).ok();
        self.process.wait(Duration::from_secs(10)).ok();
    }
}

/// Names several servers, of which clients take the one that can be written to.
#[must_use]
pub fn url(servers: &[&Postgres]) -> String {
    let hosts: Vec<_> = servers
        .iter()
        .map(|server| format!("host={}", server.directory.path().display()).replace('/', "%2F"))
        .collect();
    let hosts = hosts.join("&");
    format!("postgres:///postgres?{hosts}&user={USER}&target_session_attrs=read-write")
}

/// The programs of the newest release, and a directory for a server.
fn prepare() -> Result<(PathBuf, TempDir)> {
    let directory = tempfile::Builder::new().prefix("pg").tempdir()?;
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700))?;
        chown(directory.path(), Some(NOBODY), Some(NOBODY))?;
    }
    Ok((newest(Path::new(RELEASES))?, directory))
}

fn newest(releases: &Path) -> Result<PathBuf> {
    let missing = || {
        format!(
            "no PostgreSQL in {}: run `cargo xtask setup`, which installs it",
            releases.display()
        )
    };
    let entries = fs::read_dir(releases).with_context(missing)?;
    let release = |path: &PathBuf| {
        path.file_name()
            .and_then(OsStr::to_str)?
            .parse::<u32>()
            .ok()
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = paths
        .filter(|path| path.join("bin/postgres").is_file())
        .max_by_key(release);
    Ok(newest.with_context(missing)?.join("bin"))
}

/// A command that root runs as nobody, and that dies with the thread that spawns it.
fn unprivileged(program: PathBuf) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if rustix::process::geteuid().is_root() {
        let id = NOBODY.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command.env_clear().env("LC_ALL", "C").current_dir("/");
    command
}
