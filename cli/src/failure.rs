//! Every way a command can fail.

use std::io;

use thiserror::Error;

use crate::{
    agent::AgentError, certs::CertsError, contain::ContainError, manual::ManualError,
    policy::PolicyError, server::ServerError,
};

#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Manual(#[from] ManualError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Certs(#[from] CertsError),
    #[error(transparent)]
    Contain(#[from] ContainError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

impl RunError {
    /// Nobody reads any more, so nothing is missed.
    pub(crate) fn reader_left(&self) -> bool {
        match self {
            Self::Output(error)
            | Self::Certs(CertsError::Output(error))
            | Self::Contain(ContainError::Output(error))
            | Self::Policy(PolicyError::Output(error))
            | Self::Manual(ManualError::Completions(error)) => {
                error.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }
}
