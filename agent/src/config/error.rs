//! Why there is no configuration.

use std::{io, path::PathBuf};

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
    /// No node was named and the host has no name either.
    #[error("cannot tell the name of the node, the host has none: give it with --node")]
    Node,
}
