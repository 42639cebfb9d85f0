//! A child process that dies with its guard, and shows what it said when something fails.

mod output;

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use self::output::{Output, Stream, collect};
use crate::{
    deadline::{Deadline, wait_for},
    interrupt::interrupted,
};

const SHOWN_LINES: usize = 40;

/// A command that dies with the thread that spawns it.
#[must_use]
pub fn guarded(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// A running child process.
///
/// It is killed when this is dropped, and, if its command is [`guarded`], also when the thread that
/// spawned it ends: by a panic, or with the whole process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Spawns `command` with its output collected under `name`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name} by {command:?}"))?;
        let output = Arc::new(Output::default());
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(collect(stdout, Stream::Out, Arc::clone(&output)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(collect(stderr, Stream::Error, Arc::clone(&output)));
        }
        Ok(Self {
            name: name.into(),
            child,
            output,
            readers,
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line with `needle`, also one it said before, and returns it.
    ///
    /// # Errors
    /// When it ends or `limit` passes without one; with what it said instead.
    pub fn wait_for_line(&mut self, needle: &str, limit: Duration) -> Result<String> {
        self.wait_for_line_that(needle, limit, |line| line.contains(needle))
    }

    /// The same for a line that `is_wanted`, as `what` calls it.
    ///
    /// # Errors
    /// When it ends or `limit` passes without one; with what it said instead.
    pub fn wait_for_line_that(
        &mut self,
        what: &str,
        limit: Duration,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let deadline = Deadline::after(limit);
        loop {
            // Asked before the lines are looked at, so that the last words of one that ended count.
            let ended = self.child.try_wait()?;
            if ended.is_some() {
                self.join_readers();
            }
            if let Some(line) = self.output.find(&is_wanted, deadline, ended.is_none()) {
                return Ok(line);
            }
            if let Some(status) = ended {
                bail!(
                    "{} ended ({status}) without {what:?}{}",
                    self.name,
                    self.log()
                );
            }
            ensure!(
                !interrupted(),
                "interrupted while waiting for {}",
                self.name
            );
            ensure!(
                !deadline.left().is_zero(),
                "{} did not say {what:?} within {limit:?}{}",
                self.name,
                self.log()
            );
        }
    }

    /// The last lines that it said, thousands of them.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let lines = self.output.lines();
        lines.iter().map(|(_, line)| line.clone()).collect()
    }

    /// Forgets what it said so far.
    pub fn forget_lines(&self) {
        self.output.lines().clear();
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let id = id.with_context(|| format!("{} has no process id", self.name))?;
        kill_process(id, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it does not end within `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(limit)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it does not end within `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let status = wait_for(&what, limit, || Ok(self.child.try_wait()?))
            .map_err(|error| anyhow!("{error:#}{}", self.log()))?;
        self.join_readers();
        Ok(status)
    }

    /// When its output ended: within microseconds of its own end, if it ran no others.
    #[must_use]
    pub fn ended_at(&self) -> Option<SystemTime> {
        *self.output.ended_at()
    }

    /// Its last lines, for an error message.
    #[must_use]
    pub fn log(&self) -> String {
        let mut log = format!("\nlast lines of {}:", self.name);
        let lines = self.output.lines();
        for (_, line) in lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)) {
            log += &format!("\n  {line}");
        }
        log
    }

    fn join_readers(&mut self) {
        for reader in self.readers.drain(..) {
            reader.join().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    name: String,
}

impl Finished {
    /// Itself, if it succeeded.
    ///
    /// # Errors
    /// When it did not; with what it said.
    pub fn success(self) -> Result<Self> {
        ensure!(
            self.status.success(),
            "{} failed ({}):\n{}{}",
            self.name,
            self.status,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }
}

/// Runs `command` to its end.
///
/// # Errors
/// When it cannot be started, or does not end within `limit`.
pub fn run(name: &str, command: &mut Command, limit: Duration) -> Result<Finished> {
    let mut process = Process::spawn(name, command)?;
    let status = process.wait(limit)?;
    Ok(Finished {
        status,
        stdout: process.output.text(Stream::Out),
        stderr: process.output.text(Stream::Error),
        name: name.into(),
    })
}
