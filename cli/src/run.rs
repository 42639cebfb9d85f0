//! Which command does what, and every way it can fail.

use std::{io, time::SystemTime};

use thiserror::Error;

use crate::{
    Arguments,
    arguments::Command,
    events,
    manual::{self, ManualError},
    output::Output,
    server::{Server, ServerError},
    status,
};

#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Manual(#[from] ManualError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

impl RunError {
    fn reader_left(&self) -> bool {
        match self {
            Self::Output(error) | Self::Manual(ManualError::Completions(error)) => {
                error.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }
}

/// Runs one command; `now` is the time it starts.
///
/// # Errors
/// Says what was tried, on what, and what to do next. That the reader of standard output left is none.
pub async fn run(arguments: Arguments, now: SystemTime) -> Result<(), RunError> {
    match dispatch(arguments, now).await {
        Err(error) if error.reader_left() => Ok(()),
        result => result,
    }
}

async fn dispatch(arguments: Arguments, now: SystemTime) -> Result<(), RunError> {
    let server = Server::new(arguments.server);
    let mut output = Output::new();
    match arguments.command {
        Command::Events(arguments) => events::run(&server, arguments, now, &mut output).await,
        Command::Status(arguments) => status::run(&server, &arguments, now, &mut output).await,
        Command::Completions(arguments) => Ok(manual::print_completions(arguments.shell)?),
        Command::Man(arguments) => Ok(manual::write_pages(&arguments.directory)?),
    }
}
