//! Why a connection with the collector ended, and what to do about it.

use std::time::Duration;

use api::{retry, transport::TransportError};
use tonic::{Code, Status};

/// Whoever asks for more is mistaken.
const LONGEST_DELAY: Duration = Duration::from_secs(300);

/// Why a connection with the collector ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error(transparent)]
    Connect(#[from] TransportError),
    #[error(
        "the collector at {remote} does not know node {node}: {message}; name the node in the \
         collector's pod table or correct --node"
    )]
    UnknownNode {
        remote: String,
        node: String,
        message: String,
    },
    #[error("{remote} is no collector: let --collector name the address a collector listens on")]
    NoCollector { remote: String },
    #[error(
        "the collector at {remote} did not welcome the agent within {patience:?}: check the \
         collector's log and that --collector names it"
    )]
    NoWelcome { remote: String, patience: Duration },
    #[error("the collector at {remote} ended the connection: check its log if this lasts")]
    Ended { remote: String },
    #[error(
        "the connection with the collector at {remote} broke ({code:?}: {message}): check its log if this lasts"
    )]
    Broken {
        remote: String,
        code: Code,
        message: String,
        source: Status,
    },
}

impl ConnectionError {
    /// How long the collector asks to stay away; not at all as a rule.
    pub(super) fn delay(&self) -> Duration {
        let asked = match self {
            Self::Broken { source, .. } => retry::delay(source),
            _ => None,
        };
        asked.unwrap_or_default().min(LONGEST_DELAY)
    }

    /// What a status from the collector says.
    pub(super) fn broken(remote: String, node: &str, status: Status) -> Self {
        match status.code() {
            Code::NotFound => Self::UnknownNode {
                remote,
                node: node.into(),
                message: status.message().into(),
            },
            Code::Unimplemented => Self::NoCollector { remote },
            code => Self::Broken {
                remote,
                code,
                message: status.message().into(),
                source: status,
            },
        }
    }
}
