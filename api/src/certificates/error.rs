//! Why there is no certificate.

use std::{io, path::PathBuf};

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// There is an authority already.
    #[error("{} is there already: another authority would make all its certificates worthless; name another folder", path.display())]
    Exists {
        /// Its file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: make an authority with `picket certs init`, and check that you may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: check that you may write there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what `picket certs` wrote.
    #[error("cannot use {}: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A name cannot be certified.
    #[error("cannot certify `{name}`: {takes}")]
    Name {
        /// The name.
        name: String,
        /// What there may be.
        takes: &'static str,
    },
    /// What is to be revoked is neither a file nor a serial.
    #[error(
        "cannot revoke `{text}`: name the file of the certificate, or its serial in hexadecimal digits"
    )]
    Serial {
        /// What was given.
        text: String,
    },
    /// No random number or no signature.
    #[error("cannot sign: {0}")]
    Sign(String),
}
