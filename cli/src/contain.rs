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
    form::{Form, FormArguments},
    json,
    names::PodName,
    output::Output,
    palette::{Palette, harmless},
    server::{Server, ServerError},
    table::{dash, table},
    time,
};

#[derive(Debug, Error)]
pub enum ContainError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(
        "agents obey only what an operator has signed: give --operator-cert and --operator-key of `picket certs operator`"
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

    #[command(flatten)]
    form: FormArguments,

    #[command(flatten)]
    signer: SignerArguments,
}

#[derive(Args, Debug)]
pub(crate) struct ReleaseArguments {
    /// Which pod.
    #[arg(value_name = "NAMESPACE/POD")]
    pod: PodName,

    /// Why, for whoever reads the event.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,

    #[command(flatten)]
    form: FormArguments,

    #[command(flatten)]
    signer: SignerArguments,
}

/// A certificate, and its key.
pub(crate) type Own = Option<(PathBuf, PathBuf)>;

/// Who signs. The collector need not believe his certificate, nor the agents that of the connection.
#[derive(Args, Debug)]
pub(crate) struct SignerArguments {
    /// The operator's certificate, which agents believe [default: as --tls-cert].
    #[arg(
        long,
        value_name = "FILE",
        env = "PICKET_OPERATOR_CERT",
        requires = "operator_key"
    )]
    operator_cert: Option<PathBuf>,

    /// Private key of that certificate, which signs [default: as --tls-key].
    #[arg(
        long,
        value_name = "FILE",
        env = "PICKET_OPERATOR_KEY",
        requires = "operator_cert"
    )]
    operator_key: Option<PathBuf>,
}

impl SignerArguments {
    /// `own` is shown to the collector.
    fn signer(self, own: Own) -> Result<Signer, ContainError> {
        let of_operator = self.operator_cert.zip(self.operator_key);
        let (certificate, key) = of_operator.or(own).ok_or(ContainError::Unsigned)?;
        Ok(Signer::read(&certificate, &key)?)
    }
}

fn lease(text: &str) -> Result<Duration, String> {
    let lease = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let range = api::containment::SHORTEST_LEASE..=api::containment::LONGEST_LEASE;
    let refused = || "a lease takes 1s to 24h, such as 10m".to_owned();
    range.contains(&lease).then_some(lease).ok_or_else(refused)
}

pub(crate) async fn contain(
    server: &Server,
    own: Own,
    arguments: ContainArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), ContainError> {
    let form = arguments.form.form();
    if arguments.list {
        return list(server, form, now, output).await;
    }
    let pod = arguments.pod.ok_or(ContainError::NoPod)?;
    let signer = arguments.signer.signer(own)?;
    let lease = arguments.lease.try_into().ok();
    let action = Action::Contain(v1::Contain { lease });
    let asked = (action, arguments.reason);
    let (pod, outcome) = command(server, &signer, &pod, asked, now).await?;
    tell(&pod, &outcome, form, output)
}

pub(crate) async fn release(
    server: &Server,
    own: Own,
    arguments: ReleaseArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), ContainError> {
    let signer = arguments.signer.signer(own)?;
    let asked = (Action::Release(v1::Release {}), arguments.reason);
    let (pod, outcome) = command(server, &signer, &arguments.pod, asked, now).await?;
    tell(&pod, &outcome, arguments.form.form(), output)
}

async fn command(
    server: &Server,
    signer: &Signer,
    pod: &PodName,
    (action, reason): (Action, String),
    now: SystemTime,
) -> Result<(String, v1::CommandOutcome), ContainError> {
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
    Ok((format!("{pod} on node {}", described.node), outcome))
}

fn tell(
    pod: &str,
    outcome: &v1::CommandOutcome,
    form: Form,
    output: &mut Output,
) -> Result<(), ContainError> {
    let until = match outcome.lease_until {
        Some(until) => format!(" until {}", time::short(Some(until))),
        None => String::new(),
    };
    let line = harmless(&format!("{pod}: {}{until}", outcome.reason));
    Ok(form.print(output, [json::outcome(outcome)], || vec![line])?)
}

async fn list(
    server: &Server,
    form: Form,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), ContainError> {
    let containments = server.containments().await?;
    let objects = containments.iter().map(json::containment);
    Ok(form.print(output, objects, || lines(&containments, form, now))?)
}

fn lines(containments: &[v1::Containment], form: Form, now: SystemTime) -> Vec<String> {
    if containments.is_empty() {
        return vec!["Nothing is contained.".to_owned()];
    }
    let palette = Palette::of_stdout();
    let rows = containments.iter().map(|it| {
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
            dash(it.uid.clone()),
            it.interface.clone(),
            it.reason.clone(),
        ]
    });
    if form == Form::Wide {
        let heading = [
            "NODE",
            "POD",
            "SINCE",
            "UNTIL",
            "BY",
            "DROPPED",
            "UID",
            "INTERFACE",
            "REASON",
        ];
        return table(heading, &rows.collect::<Vec<_>>(), palette);
    }
    let rows = rows.map(|[node, pod, since, until, by, dropped, _, _, reason]| {
        [node, pod, since, until, by, dropped, reason]
    });
    let heading = ["NODE", "POD", "SINCE", "UNTIL", "BY", "DROPPED", "REASON"];
    table(heading, &rows.collect::<Vec<_>>(), palette)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
mod tests {
    use api::{
        certificates::{Authority, LEAF_DAYS, Purpose},
        command::Verifier,
        principal::Principal,
    };

    use super::*;

    /// Who is certified by an authority of his own, and what tells whether it is he who signs.
    fn operator(name: &str) -> (tempfile::TempDir, (PathBuf, PathBuf), Verifier) {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = Authority::create(folder.path(), 10, now).unwrap();
        let purpose = Purpose::Client(Principal::Operator(name));
        let own = authority.issue(purpose, LEAF_DAYS, now).unwrap();
        let verifier = Verifier::read(&authority.certificate(), None).unwrap();
        (folder, (own.certificate, own.key), verifier)
    }

    #[test]
    fn who_signs_need_not_be_who_asks() {
        let (_of_tls, tls, _) = operator("tls");
        let (_of_anna, anna, known) = operator("anna");
        let signer = |operator: Own, own: Own| {
            let (operator_cert, operator_key) = operator.unzip();
            let arguments = SignerArguments {
                operator_cert,
                operator_key,
            };
            arguments.signer(own)
        };
        let is_anna = |signer: Signer| {
            let command = v1::Command {
                node: "n1".into(),
                uid: "u1".into(),
                ..v1::Command::default()
            };
            let now = SystemTime::now();
            let signed = signer.sign(command, now, LONGEST_LIFE).unwrap();
            let verified = known.verify(&signed, "n1", now);
            verified.is_ok_and(|it| it.operator == "anna")
        };
        let own = || Some(anna.clone());
        assert!(is_anna(signer(own(), Some(tls.clone())).unwrap()));
        assert!(is_anna(signer(own(), None).unwrap()));
        assert!(is_anna(signer(None, own()).unwrap()), "he may do both");
        assert!(!is_anna(signer(None, Some(tls)).unwrap()));
        let nobody = signer(None, None).unwrap_err().to_string();
        assert!(nobody.contains("--operator-cert"), "{nobody}");
    }
}
