//! Tells who signed a command, and whether he may.

use std::{path::Path, sync::Arc, time::SystemTime};

use prost::Message as _;
use rustls::{
    pki_types::{CertificateDer, UnixTime},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use webpki::EndEntityCert;

use super::{LARGEST_COMMAND, LONGEST_ID, LONGEST_LIFE, LONGEST_REASON, SKEW, signed};
use crate::{
    principal::Principal,
    transport::{Kind, Secret, SecretError, provider, roots},
    v1,
};

/// Of a signer: his own certificate, and those between it and the authority.
const CERTIFICATES: usize = 4;

/// Whom an agent obeys.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<dyn ClientCertVerifier>);

/// A command, and who signed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// What is commanded.
    pub command: v1::Command,
    /// Name of the operator.
    pub operator: String,
    /// When he gave it, by his clock.
    pub issued_at: SystemTime,
}

/// Why a command is nobody's, or nobody's who may.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It shows no certificate, or too many.
    #[error("the command shows {0} certificates; it takes 1 to {CERTIFICATES}")]
    Certificates(usize),
    /// The certificate is not accepted.
    #[error("the signer's certificate is not accepted: {0}")]
    Certificate(String),
    /// It is somebody else's than an operator's.
    #[error(
        "the signer's certificate has no URI picket://operator/NAME; `picket certs operator` makes one"
    )]
    NoOperator,
    /// The command was not signed by the key of the certificate.
    #[error("the signature is not that of the certificate's key over this command")]
    Signature,
    /// It is none.
    #[error("the command cannot be read: {0}")]
    Malformed(&'static str),
    /// It waited for too long, or is to.
    #[error("the command is not of now: {0}; check the clocks, and give it again")]
    Time(&'static str),
    /// It is for another node.
    #[error("the command is for node `{0}`")]
    OtherNode(String),
}

impl Verifier {
    /// Reads who certifies operators, and which certificates are revoked.
    ///
    /// # Errors
    /// When a file cannot be read or used.
    pub fn read(authority: &Path, revocations: Option<&Path>) -> Result<Self, SecretError> {
        let authority = Secret::read(Kind::Authority, authority)?;
        let roots = Arc::new(roots(&authority)?);
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
        if let Some(path) = revocations {
            let secret = Secret::read(Kind::Revocations, path)?;
            builder = builder.with_crls(secret.revocations()?);
        }
        let verifier = builder.build();
        verifier
            .map(Self)
            .map_err(|error| authority.nonsense(error.to_string()))
    }

    /// The command, when an operator has signed it, for this node, and it is of now.
    ///
    /// That none is obeyed twice is for the caller to see to, by its sequence.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(
        &self,
        signed_command: &v1::SignedCommand,
        node: &str,
        now: SystemTime,
    ) -> Result<Verified, VerifyError> {
        let operator = self.operator(signed_command, now)?;
        if signed_command.command.len() > LARGEST_COMMAND {
            return Err(VerifyError::Malformed("it is too large"));
        }
        let command = v1::Command::decode(&signed_command.command[..]);
        let command = command.map_err(|_| VerifyError::Malformed("it is no picket.v1.Command"))?;
        let issued_at = check(&command, node, now)?;
        Ok(Verified {
            command,
            operator,
            issued_at,
        })
    }

    fn operator(
        &self,
        command: &v1::SignedCommand,
        now: SystemTime,
    ) -> Result<String, VerifyError> {
        let count = command.certificates.len();
        let certificates = command.certificates.iter().take(CERTIFICATES);
        let chain: Vec<_> = certificates
            .map(|it| CertificateDer::from(&it[..]))
            .collect();
        let Some((end, between)) = chain.split_first().filter(|_| count <= CERTIFICATES) else {
            return Err(VerifyError::Certificates(count));
        };
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let now = UnixTime::since_unix_epoch(since);
        let refused = |error: &dyn std::fmt::Display| VerifyError::Certificate(error.to_string());
        self.0
            .verify_client_cert(end, between, now)
            .map_err(|error| refused(&error))?;
        let certificate = EndEntityCert::try_from(end).map_err(|error| refused(&error))?;
        let message = signed(&command.command);
        let known = [webpki::ring::ECDSA_P256_SHA256, webpki::ring::ED25519];
        let mut known = known.into_iter();
        if !known.any(|it| {
            let verified = certificate.verify_signature(it, &message, &command.signature);
            verified.is_ok()
        }) {
            return Err(VerifyError::Signature);
        }
        let mut uris = certificate.valid_uri_names();
        let operator = uris.find_map(|uri| match Principal::of_uri(uri) {
            Some(Principal::Operator(name)) => Some(name.to_owned()),
            _ => None,
        });
        operator.ok_or(VerifyError::NoOperator)
    }
}

pub(super) fn check(
    command: &v1::Command,
    node: &str,
    now: SystemTime,
) -> Result<SystemTime, VerifyError> {
    if command.id.is_empty() || command.id.len() > LONGEST_ID {
        return Err(VerifyError::Malformed("its id takes 1 to 64 bytes"));
    }
    if command.reason.len() > LONGEST_REASON {
        return Err(VerifyError::Malformed(
            "its reason takes 1024 bytes at most",
        ));
    }
    if command.uid.is_empty() {
        return Err(VerifyError::Malformed("it names no pod by its uid"));
    }
    let time = |at: Option<prost_types::Timestamp>| {
        let at = at.and_then(|at| SystemTime::try_from(at).ok());
        at.ok_or(VerifyError::Malformed("it has no times"))
    };
    let (issued, expires) = (time(command.issued_at)?, time(command.expires_at)?);
    if issued > now + SKEW {
        return Err(VerifyError::Time("it was issued in the future"));
    }
    if expires > issued + LONGEST_LIFE {
        return Err(VerifyError::Time("it lives longer than five minutes"));
    }
    if expires <= now {
        return Err(VerifyError::Time("it has expired"));
    }
    if command.node != node {
        return Err(VerifyError::OtherNode(command.node.clone()));
    }
    Ok(issued)
}
