//! What is said and believed beyond this machine.

use std::path::PathBuf;

use api::transport::{Credentials, Listen, Remote, Tls, TlsFiles};
use clap::parser::ValueSource;

use super::{Config, error::ConfigError, sources::Sources};

/// Where the secrets are, as configured.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    ca: Option<PathBuf>,
    token: Option<PathBuf>,
    insecure: bool,
}

/// What is used of them.
#[derive(Clone, Debug)]
pub struct Secured {
    /// Where events are delivered to, and as whom.
    pub collector: Option<Remote>,
    /// What is spoken where others than this machine can ask.
    pub tls: Option<Tls>,
    /// Whether something is spoken beyond this machine without TLS.
    pub insecure: bool,
}

impl Sources<'_> {
    pub(super) fn secrets(&self) -> Result<Secrets, ConfigError> {
        let file = &self.file;
        let path = |key, value| self.one(key, value).map(|it| it.path()).transpose();
        Ok(Secrets {
            certificate: path("tls_cert", &file.tls_cert)?,
            key: path("tls_key", &file.tls_key)?,
            ca: path("tls_ca", &file.tls_ca)?,
            token: path("token", &file.token)?,
            insecure: self.insecure()?,
        })
    }

    fn insecure(&self) -> Result<bool, ConfigError> {
        let given = self.matches.value_source("insecure");
        match (given, &self.file.insecure) {
            (Some(ValueSource::CommandLine | ValueSource::EnvVariable), _) | (_, None) => {
                Ok(self.matches.get_flag("insecure"))
            }
            (_, Some(value)) => self
                .in_file("insecure", value)
                .choice(&[("true", true), ("false", false)]),
        }
    }
}

impl Config {
    /// Reads all secrets. There is nothing that stands in for one that cannot be used.
    ///
    /// # Errors
    /// When one cannot be used, or something would be spoken beyond this machine without TLS and nobody
    /// asked for that.
    pub fn secure(&self) -> Result<Secured, ConfigError> {
        let Secrets {
            certificate,
            key,
            ca,
            token,
            insecure,
        } = self.secrets.clone();
        let own = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (given, _) => {
                let (given, missing) = match given {
                    Some(_) => ("--tls-cert", "--tls-key"),
                    None => ("--tls-key", "--tls-cert"),
                };
                return Err(ConfigError::Half { given, missing });
            }
        };
        let beyond = self.listen.iter().find(|it| !it.is_local());
        let tls = match (beyond, &own, &ca) {
            (None, ..) => None,
            (Some(_), Some((certificate, key)), Some(ca)) => Some(Tls::load(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca: Some(ca.clone()),
                crl: None,
            })?),
            (Some(_), ..) if insecure => None,
            (Some(listen), ..) => {
                let listen = Listen::clone(listen);
                return Err(ConfigError::Plain { listen });
            }
        };
        let credentials = Credentials {
            ca,
            certificate: own,
            token,
            insecure,
        };
        let collector = self.collector.clone();
        Ok(Secured {
            collector: collector.map(|it| it.with(credentials)).transpose()?,
            insecure: insecure && tls.is_none(),
            tls,
        })
    }
}
