//! The configuration file.

use std::{fs, path::Path};

use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::Spanned;

use super::error::ConfigError;

/// Values stay text until they are read, so that every source has the same ranges and errors.
pub(super) type Value = Spanned<String>;

/// The keys of the file: those of the flags, and how detectors are set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    #[serde(skip)]
    pub(super) path: String,
    #[serde(skip)]
    pub(super) text: String,
    pub(super) node: Option<Value>,
    pub(super) collector: Option<Value>,
    pub(super) spool: Option<Value>,
    pub(super) spool_bytes: Option<Value>,
    pub(super) listen: Option<Vec<Value>>,
    pub(super) tls_cert: Option<Value>,
    pub(super) tls_key: Option<Value>,
    pub(super) tls_ca: Option<Value>,
    pub(super) token: Option<Value>,
    pub(super) operator_ca: Option<Value>,
    pub(super) operator_crl: Option<Value>,
    pub(super) insecure: Option<Value>,
    pub(super) metrics: Option<Value>,
    pub(super) pod_table: Option<Value>,
    pub(super) identity: Option<Value>,
    pub(super) baselines: Option<Value>,
    pub(super) policy: Option<Value>,
    pub(super) interfaces: Option<Vec<Value>>,
    pub(super) uplinks: Option<Value>,
    pub(super) slots: Option<Value>,
    pub(super) tick: Option<Value>,
    pub(super) sample_rate: Option<Value>,
    pub(super) attach: Option<Value>,
    pub(super) pin: Option<Value>,
    pub(super) canary: Option<Value>,
    pub(super) kernel_log: Option<Value>,
    pub(super) log: Option<Value>,
    pub(super) log_format: Option<Value>,
    // A policy's, which is read by itself.
    silence: IgnoredAny,
    detectors: IgnoredAny,
    nodes: IgnoredAny,
    scopes: IgnoredAny,
    exceptions: IgnoredAny,
    containment: IgnoredAny,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.into(),
            source,
        })?;
        Self::of(path, &text)
    }

    /// The file with this text.
    pub(super) fn of(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut file = Self::parse(text).map_err(|reason| ConfigError::File {
            path: path.into(),
            reason,
        })?;
        file.path = path.display().to_string();
        file.text = text.to_owned();
        Ok(file)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: Option<Self> = serde_saphyr::from_str(text).map_err(|error| {
            // The snippet that the library draws spans lines; a message is one.
            error.without_snippet().to_string()
        })?;
        Ok(file.unwrap_or_default())
    }
}
