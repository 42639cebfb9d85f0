//! Why a server gives no answer, and what to do then.

use api::transport::TransportError;
use thiserror::Error;

use crate::kubectl::KubectlError;

#[derive(Debug, Error)]
pub enum ServerError {
    #[error(transparent)]
    Connect(#[from] TransportError),
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
    #[error(
        "{server} lists no past events: it is an agent, or not a gRPC port; add --follow for an agent's \
         new events, or give the collector's address with --server"
    )]
    NoPast { server: String },
    #[error(
        "{server} lists no nodes: it is not a gRPC port of Picket; those are 7400 of the collector and \
         7401 of the agent, unless configured otherwise"
    )]
    NoNodes { server: String },
    #[error("the agent did not obey: {message}")]
    NotObeyed { message: String },
    #[error(
        "there is no detector `{detector}`; there are {known}, and `picket detectors` says what they find"
    )]
    NoDetector { detector: String, known: String },
    #[error("{server} knows no node `{node}`; `picket status` lists those it knows")]
    NoNode { server: String, node: String },
    #[error("cannot go on after that cursor at {server}: {message}; start again without --after")]
    BeyondLog { server: String, message: String },
    #[error("cannot connect to {server}: {why}; {step}")]
    Unreached {
        server: String,
        why: String,
        step: &'static str,
    },
    #[error(
        "{server} does not know who asks: {message}; show a token that it knows with --token-file, or a certificate with \
         --tls-cert and --tls-key"
    )]
    Stranger { server: String, message: String },
    #[error(
        "{server} does not let you: {message}; ask for what you may see, or have the collector's --subscribers say more of you"
    )]
    Forbidden { server: String, message: String },
    #[error("{message} ({server}); `picket anomalies` and `picket status` list what there is")]
    Unknown { server: String, message: String },
    #[error("{server} refused the request: {message}; correct it and try again")]
    Refused { server: String, message: String },
    #[error(
        "{server} did not answer: {message}; check that it runs, and that --server names its gRPC port, with https:// if it speaks TLS"
    )]
    Away { server: String, message: String },
    #[error("{server} failed: {message}; its log says more")]
    Failed { server: String, message: String },
}

impl ServerError {
    /// Whether trying again may help.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Connect(_) | Self::Unreached { .. } | Self::Away { .. } | Self::Failed { .. }
        )
    }
}
