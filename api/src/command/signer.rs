//! Signs commands with an operator's key.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use prost::Message as _;
use rustls::{SignatureScheme, pki_types::CertificateDer, sign::SigningKey};

use super::{LONGEST_LIFE, signed};
use crate::{
    transport::{Kind, Secret, SecretError, provider},
    v1,
};

/// What agents know.
const SCHEMES: [SignatureScheme; 2] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED25519,
];

/// An operator's certificate and key.
#[derive(Debug)]
pub struct Signer {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
    secret: Secret,
}

impl Signer {
    /// Reads both from PEM files.
    ///
    /// # Errors
    /// When one cannot be read or used.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, SecretError> {
        let chain = Secret::read(Kind::Certificate, certificate)?.certificates()?;
        let secret = Secret::read(Kind::Key, key)?;
        let key = provider().key_provider.load_private_key(secret.key()?);
        let key = key.map_err(|error| secret.nonsense(error.to_string()))?;
        Ok(Self { chain, key, secret })
    }

    /// Signs a command; its id, sequence and times are given to it here.
    ///
    /// # Errors
    /// When the key is of a kind that agents do not know.
    pub fn sign(
        &self,
        mut command: v1::Command,
        now: SystemTime,
        life: Duration,
    ) -> Result<v1::SignedCommand, SecretError> {
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        command.sequence = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        if command.id.is_empty() {
            command.id = format!("{:x}", command.sequence);
        }
        command.issued_at = Some(now.into());
        command.expires_at = Some((now + life.min(LONGEST_LIFE)).into());
        let command = command.encode_to_vec();
        let unfit = || {
            let reason = "it is neither ECDSA P-256 nor Ed25519; `picket certs operator` makes one";
            self.secret.nonsense(reason)
        };
        let signer = self.key.choose_scheme(&SCHEMES).ok_or_else(unfit)?;
        let signature = signer.sign(&signed(&command)).map_err(|_| unfit())?;
        Ok(v1::SignedCommand {
            command,
            certificates: self.chain.iter().map(|it| it.to_vec()).collect(),
            signature,
        })
    }
}
