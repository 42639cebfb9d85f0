//! Why there is no configuration.

use std::{io, path::PathBuf};

use api::{
    policy::Refused,
    transport::{Listen, SecretError, TransportError},
};

use super::origin::Origin;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: check --config and the permissions of the file", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The file says something it cannot.
    #[error("cannot use {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    /// A value is not one that its key takes.
    #[error("cannot use {key} = `{value}` {origin}: {reason}")]
    Value {
        key: String,
        value: String,
        origin: Origin,
        reason: String,
    },
    /// The detectors are set as they cannot be.
    #[error("cannot use {0}")]
    Policy(#[from] Refused),
    /// Events would cross the network for everybody to read.
    #[error(
        "not listening on {listen} without TLS, for others than this machine reach it: give --tls-cert, --tls-key and --tls-ca (`picket certs` makes them), or --insecure"
    )]
    Plain { listen: Listen },
    /// A certificate without its key, or a key without its certificate.
    #[error("{given} needs {missing} beside it")]
    Half {
        given: &'static str,
        missing: &'static str,
    },
    /// The collector cannot be spoken to so.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A certificate cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// No node was named and the host has no name either.
    #[error("cannot tell the name of the node, the host has none: give it with --node")]
    Node,
}
