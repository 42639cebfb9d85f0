//! Why a policy is neither checked nor shown.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::server::ServerError;

#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("cannot read {}; name a file that you may read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be used: correct {problems} line(s) above, and validate again", path.display())]
    Wrong { path: PathBuf, problems: usize },
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}
