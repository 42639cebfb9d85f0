//! `picket policy`: a NetworkPolicy that quarantines one pod, for a person to apply.

mod others;

use std::path::PathBuf;

use api::quarantine::{self, Allowed, Refusal, named, policy, render};
use clap::Args;
use thiserror::Error;

use crate::{
    form::FormArguments,
    json::{self, Quarantine},
    names::PodName,
    output::Output,
    server::{Server, ServerError},
};

#[derive(Debug, Error)]
pub enum PolicyError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(
        "cannot read the policies of {}: {source}; give it what `kubectl get networkpolicy --output json` prints", path.display()
    )]
    Policies {
        path: PathBuf,
        source: std::io::Error,
    },
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

    /// What `kubectl get networkpolicy --namespace NAMESPACE --output json` prints, or - for standard input: tells
    /// which other policies still allow the pod something.
    #[arg(long, value_name = "FILE")]
    policies: Option<PathBuf>,

    #[command(flatten)]
    form: FormArguments,
}

pub(crate) async fn run(
    server: &Server,
    arguments: PolicyArguments,
    output: &mut Output,
) -> Result<(), PolicyError> {
    let described = server.describe(&arguments.pod).await?;
    quarantine::selects(&described)?;
    let allowed = Allowed::new(
        arguments.allow_dns,
        arguments.allow_from,
        arguments.allow_to,
    )?;
    let policies = arguments
        .policies
        .map(|path| others::read(&path).map_err(|source| PolicyError::Policies { path, source }));
    let policies = policies.transpose()?;
    let others = policies.as_ref().zip(described.pod.as_ref());
    let others = others.map(|(policies, pod)| policies.allowing(pod, &named(pod)));
    let text = policy(&described, &allowed).join("\n");
    let passes = |edge: &api::v1::Edge| allowed.passes(edge);
    let quarantine = Quarantine::new(&described, passes, others.as_deref(), text);
    let form = arguments.form.form();
    Ok(form.print(output, [json::quarantine(&quarantine)], || {
        render(&described, &allowed, others.as_deref())
    })?)
}
