//! Certificates, keys, revocation lists and tokens, as files hold them.

use std::{
    fmt, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject,
};

/// Longer than any file of secrets that is one.
const LONGEST: u64 = 16 << 20;
/// The longest token; an HTTP header must hold it.
const LONGEST_TOKEN: usize = 8 << 10;
/// The bits that let others than the owner and the group read.
const READ_BY_OTHERS: u32 = 0o004;

/// What a file is to hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One's own certificate, followed by those that signed it.
    Certificate,
    /// The private key of a certificate.
    Key,
    /// Certificates of authorities that sign those of peers.
    Authority,
    /// Revocation lists.
    Revocations,
    /// A bearer token.
    Token,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "private key",
            Self::Authority => "certificate of the authority",
            Self::Revocations => "revocation list",
            Self::Token => "token",
        })
    }
}

/// Why a secret cannot be used. There is nothing to use in its place.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the {kind} {}: check the path, and that this user may read it", path.display())]
    Read {
        /// What it is to hold.
        kind: Kind,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("cannot use the {kind} {}: {reason}", path.display())]
    Nonsense {
        /// What it is to hold.
        kind: Kind,
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// A file and what was read of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Secret {
    kind: Kind,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Secret {
    pub(crate) fn read(kind: Kind, path: &Path) -> Result<Self, SecretError> {
        let failed = |source| SecretError::Read {
            kind,
            path: path.into(),
            source,
        };
        let length = fs::metadata(path).map_err(failed)?.len();
        if length > LONGEST {
            return Err(failed(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it is too large to be one",
            )));
        }
        let secret = Self {
            kind,
            path: path.into(),
            bytes: fs::read(path).map_err(failed)?,
        };
        Ok(secret)
    }

    pub(crate) fn nonsense(&self, reason: impl Into<String>) -> SecretError {
        SecretError::Nonsense {
            kind: self.kind,
            path: self.path.clone(),
            reason: reason.into(),
        }
    }

    /// At least one.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, SecretError> {
        self.several("CERTIFICATE")
    }

    /// At least one.
    pub(crate) fn revocations(
        &self,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, SecretError> {
        self.several("X509 CRL")
    }

    fn several<T: PemObject>(&self, section: &str) -> Result<Vec<T>, SecretError> {
        let all: Result<Vec<T>, _> = T::pem_slice_iter(&self.bytes).collect();
        match all {
            Ok(all) if !all.is_empty() => Ok(all),
            Ok(_) => Err(self.nonsense(format!(
                "it has no PEM section {section}; `picket certs` makes files that do"
            ))),
            Err(error) => Err(self.nonsense(format!("it is no PEM file: {error}"))),
        }
    }

    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, SecretError> {
        PrivateKeyDer::from_pem_slice(&self.bytes)
            .map_err(|error| self.nonsense(format!("it is no private key in PEM: {error}")))
    }

    /// Says so when others than its owner and group can read it.
    pub(crate) fn warn_if_exposed(&self) {
        let metadata = fs::metadata(&self.path);
        if metadata.is_ok_and(|it| it.permissions().mode() & READ_BY_OTHERS != 0) {
            let (kind, path) = (self.kind, self.path.display());
            tracing::warn!(%path, "everybody on this machine can read the {kind}; chmod o-r it");
        }
    }
}

/// The bearer token in a file, without the space around it.
///
/// # Errors
/// When the file cannot be read, or does not hold one word of ASCII.
pub fn token(path: &Path) -> Result<String, SecretError> {
    let secret = Secret::read(Kind::Token, path)?;
    let token = secret.bytes.trim_ascii();
    if token.is_empty() || token.len() > LONGEST_TOKEN || !token.iter().all(u8::is_ascii_graphic) {
        return Err(secret.nonsense(format!(
            "a token is one word of 1 to {LONGEST_TOKEN} ASCII characters; `head -c 32 /dev/urandom | base64` makes one"
        )));
    }
    Ok(String::from_utf8_lossy(token).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (text, expected) in [
            ("secret\n", Some("secret")),
            (" a.b-c_d= ", Some("a.b-c_d=")),
            ("", None),
            ("\n", None),
            ("two words", None),
            ("caf\u{e9}", None),
        ] {
            fs::write(&path, text).unwrap();
            let read = token(&path);
            assert_eq!(read.as_deref().ok(), expected, "{text:?}: {read:?}");
        }
        let error = token(Path::new("/nowhere/token")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/token"), "{error}");
    }
}
