//! Every way a command can fail.

use std::io;

use api::certificates::CertificateError;
use thiserror::Error;

use crate::{agent::AgentError, manual::ManualError, server::ServerError};

#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Manual(#[from] ManualError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

impl RunError {
    /// Nobody reads any more, so nothing is missed.
    pub(crate) fn reader_left(&self) -> bool {
        match self {
            Self::Output(error) | Self::Manual(ManualError::Completions(error)) => {
                error.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }
}
