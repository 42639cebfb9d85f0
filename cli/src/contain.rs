//! `picket contain` and `picket release`: commands to agents, which an operator signs.

use std::{path::PathBuf, time::Duration, time::SystemTime};

use api::{
    command::{LONGEST_LIFE, Signer},
    transport::SecretError,
    v1::{self, command::Action},
};
use clap::Args;
use thiserror::Error;

use crate::{
    names::PodName,
    output::Output,
    palette::{Palette, harmless},
    server::{Server, ServerError},
    table::table,
    time,
};

#[derive(Debug, Error)]
pub enum ContainError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(
        "agents obey only what an operator has signed: give --tls-cert and --tls-key of `picket certs operator`"
    )]
    Unsigned,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("{pod} has no uid in the collector's table, so nobody can say which pod is meant")]
    NoUid { pod: String },
    #[error("{pod} is on no node yet")]
    NoNode { pod: String },
    #[error("give the pod as NAMESPACE/POD, or --list")]
    NoPod,
    #[error("cannot write to standard output")]
    Output(#[from] std::io::Error),
}

#[derive(Args, Debug)]
pub(crate) struct ContainArguments {
    /// Which pod.
    #[arg(value_name = "NAMESPACE/POD", conflicts_with = "list")]
    pod: Option<PodName>,

    /// For how long; at most 24h.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = lease)]
    lease: Duration,

    /// Why, for whoever reads the event.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,

    /// Print what is contained now.
    #[arg(long)]
    list: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ReleaseArguments {
    /// Which pod.
    #[arg(value_name = "NAMESPACE/POD")]
    pod: PodName,

    /// Why, for whoever reads the event.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// The operator's certificate, and its key.
pub(crate) type Own = Option<(PathBuf, PathBuf)>;

fn lease(text: &str) -> Result<Duration, String> {
    let lease = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let range = api::containment::SHORTEST_LEASE..=api::containment::LONGEST_LEASE;
    let refused = || "a lease takes 1s to 24h, such as 10m".to_owned();
    range.contains(&lease).then_some(lease).ok_or_else(refused)
}

pub(crate) async fn contain(
    server: &Server,
    own: &Own,
    arguments: ContainArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), ContainError> {
    if arguments.list {
        return list(server, now, output).await;
    }
    let pod = arguments.pod.ok_or(ContainError::NoPod)?;
    let lease = arguments.lease.try_into().ok();
    let action = Action::Contain(v1::Contain { lease });
    command(server, own, &pod, (action, arguments.reason), now, output).await
}

pub(crate) async fn release(
    server: &Server,
    own: &Own,
    arguments: ReleaseArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), ContainError> {
    let ReleaseArguments { pod, reason } = arguments;
    let action = Action::Release(v1::Release {});
    command(server, own, &pod, (action, reason), now, output).await
}

async fn command(
    server: &Server,
    own: &Own,
    pod: &PodName,
    (action, reason): (Action, String),
    now: SystemTime,
    output: &mut Output,
) -> Result<(), ContainError> {
    let (certificate, key) = own.as_ref().ok_or(ContainError::Unsigned)?;
    let signer = Signer::read(certificate, key)?;
    let described = server.describe(pod).await?.pod.unwrap_or_default();
    if described.uid.is_empty() {
        let pod = pod.to_string();
        return Err(ContainError::NoUid { pod });
    }
    if described.node.is_empty() {
        let pod = pod.to_string();
        return Err(ContainError::NoNode { pod });
    }
    let command = v1::Command {
        node: described.node.clone(),
        namespace: described.namespace,
        pod: described.name,
        uid: described.uid,
        reason,
        action: Some(action),
        ..v1::Command::default()
    };
    let signed = signer.sign(command, now, LONGEST_LIFE)?;
    let outcome = server.command(signed).await?;
    let until = match outcome.lease_until {
        Some(until) => format!(" until {}", time::short(Some(until))),
        None => String::new(),
    };
    let (done, node) = (harmless(&outcome.reason), harmless(&described.node));
    output.line(&format!("{pod} on node {node}: {done}{until}"))?;
    Ok(output.flush()?)
}

async fn list(server: &Server, now: SystemTime, output: &mut Output) -> Result<(), ContainError> {
    let containments = server.containments().await?;
    if containments.is_empty() {
        output.line("Nothing is contained.")?;
        return Ok(output.flush()?);
    }
    let heading = ["NODE", "POD", "SINCE", "UNTIL", "BY", "DROPPED", "REASON"];
    let rows: Vec<_> = containments
        .iter()
        .map(|it| {
            let pod = crate::names::pod(&it.namespace, &it.pod);
            [
                it.node.clone(),
                pod.unwrap_or_else(|| it.interface.clone()),
                time::ago(it.since, now),
                time::short(it.until),
                match &it.by[..] {
                    "" => "the agent".to_owned(),
                    by => by.to_owned(),
                },
                it.dropped_packets.to_string(),
                it.reason.clone(),
            ]
        })
        .collect();
    for line in table(heading, &rows, Palette::of_stdout()) {
        output.line(&line)?;
    }
    Ok(output.flush()?)
}
