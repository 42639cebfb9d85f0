//! `picket-agent`, for the commands that need the programs: found, started, and its events read.

use std::{
    env,
    ffi::OsString,
    io,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

use api::{pipe, v1};
use thiserror::Error;

const AGENT: &str = "picket-agent";

/// A running agent that writes events to its standard output.
#[derive(Debug)]
pub(crate) struct Agent {
    program: PathBuf,
    child: Child,
}

#[derive(Debug, Error)]
pub enum AgentError {
    #[error(
        "cannot find picket-agent, which does this: it is neither beside picket nor in PATH; install it \
         there"
    )]
    Missing,
    #[error("cannot start {}; check that it may be run", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("cannot read what {} writes; check that it is of this version", program.display())]
    Read { program: PathBuf, source: io::Error },
    #[error("{} gave up ({status}) and says why above", program.display())]
    Failed {
        program: PathBuf,
        status: ExitStatus,
    },
}

impl Agent {
    /// What it says on standard error, the user reads.
    pub(crate) fn start(arguments: &[OsString]) -> Result<Self, AgentError> {
        let program = find();
        let child = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        match child {
            Ok(child) => Ok(Self { program, child }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(AgentError::Missing),
            Err(source) => Err(AgentError::Start { program, source }),
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next event; none after its last, when it ended well.
    pub(crate) fn event(&mut self) -> Result<Option<v1::Event>, AgentError> {
        let event = self.child.stdout.as_mut().map(pipe::read);
        match event.transpose() {
            Ok(Some(Some(event))) => return Ok(Some(event)),
            Ok(_) => {}
            // When it ends within an event, how it ended says more.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(self.unreadable(error)),
        }
        match self.child.wait() {
            Ok(status) if status.success() => Ok(None),
            Ok(status) => Err(AgentError::Failed {
                program: self.program.clone(),
                status,
            }),
            Err(error) => Err(self.unreadable(error)),
        }
    }

    fn unreadable(&self, source: io::Error) -> AgentError {
        AgentError::Read {
            program: self.program.clone(),
            source,
        }
    }
}

/// The one beside this program, which is of the same version, or else the one in PATH.
fn find() -> PathBuf {
    let beside = env::current_exe().map(|picket| picket.with_file_name(AGENT));
    beside
        .ok()
        .filter(|beside| beside.is_file())
        .unwrap_or_else(|| AGENT.into())
}
