//! The configuration file.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use api::transport::{Listen, TransportError};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{log::LogFormat, security::SecurityFlags};
use crate::detectors::ConfigMap;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the configuration {}: check the path given with --config and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("cannot use the configuration {}: correct the file", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<serde_saphyr::Error>,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) listen: Vec<Address>,
    pub(super) metrics: Option<SocketAddr>,
    pub(super) page: Option<String>,
    pub(super) database: Option<String>,
    pub(super) database_url_file: Option<PathBuf>,
    pub(super) retain: Option<String>,
    pub(super) retain_bytes: Option<String>,
    pub(super) pod_table: Option<PathBuf>,
    pub(super) detectors: Option<PathBuf>,
    pub(super) detectors_config_map: Option<ConfigMap>,
    pub(super) outputs: Option<PathBuf>,
    #[serde(default)]
    pub(super) kubernetes: bool,
    pub(super) kubeconfig: Option<PathBuf>,
    #[serde(default)]
    pub(super) correlate: Correlate,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_client_ca: Option<PathBuf>,
    tls_crl: Option<PathBuf>,
    subscribers: Option<PathBuf>,
    agent_service_account: Option<String>,
    #[serde(default)]
    insecure: bool,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<LogFormat>,
}

impl File {
    /// What it says of who may talk to the collector.
    pub(super) fn security(&mut self) -> SecurityFlags {
        SecurityFlags {
            tls_cert: self.tls_cert.take(),
            tls_key: self.tls_key.take(),
            tls_client_ca: self.tls_client_ca.take(),
            tls_crl: self.tls_crl.take(),
            subscribers: self.subscribers.take(),
            agent_service_account: self.agent_service_account.take(),
            insecure: self.insecure,
        }
    }
}

/// By correlation and key. Values stay text until they are read.
pub(super) type Correlate = BTreeMap<String, BTreeMap<String, Spanned<String>>>;

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Address(pub(super) Listen);

impl TryFrom<String> for Address {
    type Error = TransportError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

pub(super) fn read(path: &Path) -> Result<File, FileError> {
    let text = fs::read_to_string(path).map_err(|source| FileError::Read {
        path: path.into(),
        source,
    })?;
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(&text, options).map_err(|source| FileError::Syntax {
        path: path.into(),
        source: Box::new(source),
    })
}
