//! `picket certs`: an authority in a folder, for those without another one.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use api::{
    certificates::{AUTHORITY_DAYS, Authority, CertificateError, Issued, LEAF_DAYS, Purpose},
    principal::Principal,
};
use clap::{Args, Subcommand, value_parser};
use thiserror::Error;

use crate::output::Output;

/// A hundred years; beyond that times are no longer written in two digits.
const MOST_DAYS: i64 = 36_500;

#[derive(Debug, Error)]
pub enum CertsError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

#[derive(Args, Debug)]
pub(crate) struct CertsArguments {
    #[command(subcommand)]
    command: CertsCommand,
}

#[derive(Debug, Subcommand)]
enum CertsCommand {
    /// Make an authority; one that is there is not replaced.
    Init {
        /// Folder to put it in.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Lifetime.
        #[arg(long, value_name = "DAYS", default_value_t = AUTHORITY_DAYS, value_parser = value_parser!(u32).range(1..=MOST_DAYS))]
        days: u32,
    },
    /// Certify a server by its names, as clients address it.
    Server {
        /// Folder of the authority.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// DNS name or IP address.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        #[command(flatten)]
        lifetime: Lifetime,
    },
    /// Certify agents, each for its node alone.
    Node {
        /// Folder of the authority.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Name of the node, as in `kubectl get nodes`.
        #[arg(value_name = "NODE", required = true)]
        nodes: Vec<String>,
        #[command(flatten)]
        lifetime: Lifetime,
    },
    /// Certify a subscriber; what it may see is told in the collector's --subscribers.
    Subscriber {
        /// Folder of the authority.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Name of the subscriber.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        lifetime: Lifetime,
    },
    /// Certify an operator, whose commands to contain pods agents obey; it is a subscriber of that name too.
    Operator {
        /// Folder of the authority.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Name of the operator.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        lifetime: Lifetime,
    },
    /// Revoke a certificate.
    Revoke {
        /// Folder of the authority.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// File of the certificate, or its serial.
        #[arg(value_name = "FILE|SERIAL")]
        which: String,
    },
}

#[derive(Args, Debug)]
struct Lifetime {
    /// Lifetime.
    #[arg(long, value_name = "DAYS", default_value_t = LEAF_DAYS, value_parser = value_parser!(u32).range(1..=MOST_DAYS))]
    days: u32,
}

pub(crate) fn run(
    arguments: CertsArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), CertsError> {
    let mut wrote = |path: &Path| output.line(&format!("wrote {}", path.display()));
    let said = match arguments.command {
        CertsCommand::Init { folder, days } => {
            let authority = Authority::create(&folder, days, now)?;
            for path in [
                authority.certificate(),
                authority.key(),
                authority.revocations(),
            ] {
                wrote(&path)?;
            }
            format!(
                "picket-collector --tls-client-ca {} --tls-crl {}",
                authority.certificate().display(),
                authority.revocations().display()
            )
        }
        CertsCommand::Server {
            folder,
            names,
            lifetime,
        } => {
            let authority = Authority::open(&folder)?;
            let issued = authority.issue(Purpose::Server(&names), lifetime.days, now)?;
            told(&issued, &mut wrote)?;
            format!("picket-collector {}", own(&issued))
        }
        CertsCommand::Node {
            folder,
            nodes,
            lifetime,
        } => {
            let authority = Authority::open(&folder)?;
            let mut said = Vec::new();
            for node in &nodes {
                let purpose = Purpose::Client(Principal::Node(node));
                let issued = authority.issue(purpose, lifetime.days, now)?;
                told(&issued, &mut wrote)?;
                let ca = authority.certificate();
                said.push(format!(
                    "picket-agent --node {node} --tls-ca {} {}",
                    ca.display(),
                    own(&issued)
                ));
            }
            said.join("\n  ")
        }
        CertsCommand::Subscriber {
            folder,
            name,
            lifetime,
        } => {
            let authority = Authority::open(&folder)?;
            let purpose = Purpose::Client(Principal::Subscriber(&name));
            let issued = authority.issue(purpose, lifetime.days, now)?;
            told(&issued, &mut wrote)?;
            let ca = authority.certificate();
            format!("picket --tls-ca {} {} events", ca.display(), own(&issued))
        }
        CertsCommand::Operator {
            folder,
            name,
            lifetime,
        } => {
            let authority = Authority::open(&folder)?;
            let purpose = Purpose::Client(Principal::Operator(&name));
            let issued = authority.issue(purpose, lifetime.days, now)?;
            told(&issued, &mut wrote)?;
            let ca = authority.certificate();
            format!(
                "picket --tls-ca {} {} contain NAMESPACE/POD",
                ca.display(),
                own(&issued)
            )
        }
        CertsCommand::Revoke { folder, which } => {
            let authority = Authority::open(&folder)?;
            let serial = authority.revoke(&which, now)?;
            output.line(&format!("revoked {serial}"))?;
            output.line(&format!("wrote {}", authority.revocations().display()))?;
            output.line("collectors with --tls-crl take it within seconds")?;
            output.flush()?;
            return Ok(());
        }
    };
    output.line("use it with:")?;
    output.line(&format!("  {said}"))?;
    output.flush()?;
    Ok(())
}

fn told(
    issued: &Issued,
    wrote: &mut impl FnMut(&Path) -> io::Result<()>,
) -> Result<(), CertsError> {
    wrote(&issued.certificate)?;
    wrote(&issued.key)?;
    Ok(())
}

fn own(issued: &Issued) -> String {
    let (certificate, key) = (issued.certificate.display(), issued.key.display());
    format!("--tls-cert {certificate} --tls-key {key}")
}
