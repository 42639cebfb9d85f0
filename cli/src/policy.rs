//! `picket policy`: a NetworkPolicy that quarantines one pod, for a person to apply.

mod render;

use clap::Args;
use thiserror::Error;

use crate::{
    names::PodName,
    output::Output,
    server::{Server, ServerError},
};
use render::{Allowed, render};

#[derive(Debug, Error)]
pub enum PolicyError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("{pod} has no uid in the collector's table, so no label can tell it from others")]
    NoUid { pod: String },
    #[error(
        "{pod} has the network of its node, so no NetworkPolicy selects it; drain the node instead"
    )]
    HostNetwork { pod: String },
    #[error("cannot write to standard output")]
    Output(#[from] std::io::Error),
}

#[derive(Args, Debug)]
pub(crate) struct PolicyArguments {
    /// Which pod.
    #[arg(value_name = "NAMESPACE/POD")]
    pod: PodName,

    /// Let it ask the cluster's DNS.
    #[arg(long)]
    allow_dns: bool,

    /// Let pods of this namespace reach it; may be repeated.
    #[arg(long, value_name = "NAMESPACE")]
    allow_from: Vec<String>,

    /// Let it reach pods of this namespace; may be repeated.
    #[arg(long, value_name = "NAMESPACE")]
    allow_to: Vec<String>,
}

pub(crate) async fn run(
    server: &Server,
    arguments: PolicyArguments,
    output: &mut Output,
) -> Result<(), PolicyError> {
    let described = server.describe(&arguments.pod).await?;
    let pod = described.pod.as_ref();
    let name = || arguments.pod.to_string();
    if pod.is_none_or(|pod| pod.uid.is_empty()) {
        return Err(PolicyError::NoUid { pod: name() });
    }
    if pod.is_some_and(|pod| pod.host_network) {
        return Err(PolicyError::HostNetwork { pod: name() });
    }
    let allowed = Allowed {
        dns: arguments.allow_dns,
        from: arguments.allow_from,
        to: arguments.allow_to,
    };
    for line in render(&described, &allowed) {
        output.line(&line)?;
    }
    Ok(output.flush()?)
}
