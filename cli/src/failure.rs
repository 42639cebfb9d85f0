//! Every way a command can fail.

use std::{io, process::ExitCode};

use thiserror::Error;

use crate::{
    certs::CertsError, config::ConfigError, contain::ContainError, doctor::DoctorError,
    form::AnswerError, manual::ManualError, policy::PolicyError, replay::ReplayError,
    selftest::SelftestError, server::ServerError, top::TopError,
};

/// As clap's own for flags it does not know.
const CONFIGURATION: u8 = 2;

#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error(transparent)]
    Manual(#[from] ManualError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Certs(#[from] CertsError),
    #[error(transparent)]
    Contain(#[from] ContainError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Doctor(#[from] DoctorError),
    #[error(transparent)]
    Top(#[from] TopError),
    #[error(transparent)]
    Selftest(#[from] SelftestError),
    #[error("a signal ended it before it was done")]
    Interrupted,
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

impl RunError {
    /// With what the program ends.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(ConfigError::Read { .. } | ConfigError::Wrong { .. }) => {
                ExitCode::from(CONFIGURATION)
            }
            _ => ExitCode::FAILURE,
        }
    }

    /// Nobody reads any more, so nothing is missed.
    pub(crate) fn reader_left(&self) -> bool {
        match self {
            Self::Output(error)
            | Self::Answer(AnswerError::Output(error))
            | Self::Certs(CertsError::Output(error))
            | Self::Config(ConfigError::Output(error))
            | Self::Contain(ContainError::Output(error))
            | Self::Doctor(DoctorError::Output(error))
            | Self::Policy(PolicyError::Output(error))
            | Self::Replay(ReplayError::Output(error))
            | Self::Top(TopError::Output(error))
            | Self::Selftest(SelftestError::Output(error))
            | Self::Manual(ManualError::Completions(error)) => {
                error.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }
}
