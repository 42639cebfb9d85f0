//! Why there is nothing to see.

use std::io;

use thiserror::Error;

use crate::server::ServerError;

#[derive(Debug, Error)]
pub enum TopError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot use this terminal; `picket top --once` prints one frame and needs none")]
    Terminal(#[source] io::Error),
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
}
