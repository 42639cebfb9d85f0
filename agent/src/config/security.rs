//! What is said and believed beyond this machine.

use std::path::PathBuf;

use api::{
    command::Verifier,
    transport::{Credentials, Listen, Remote, Tls, TlsFiles},
};
use clap::parser::ValueSource;

use super::{Config, error::ConfigError, sources::Sources};
use crate::operators::Authority;

/// Where the secrets are, as configured.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    ca: Option<PathBuf>,
    token: Option<PathBuf>,
    operator_ca: Option<PathBuf>,
    operator_crl: Option<PathBuf>,
    insecure: bool,
}

/// What is used of them.
#[derive(Clone, Debug)]
pub struct Secured {
    /// Where events are delivered to, and as whom.
    pub collector: Option<Remote>,
    /// What is spoken where others than this machine can ask.
    pub tls: Option<Tls>,
    /// Whose commands are obeyed.
    pub operators: Authority,
    /// Whether something is spoken beyond this machine without TLS.
    pub insecure: bool,
}

impl Secrets {
    /// The node's own certificate, if it has one.
    #[must_use]
    pub const fn certificate(&self) -> Option<&PathBuf> {
        self.certificate.as_ref()
    }
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
            operator_ca: path("operator_ca", &file.operator_ca)?,
            operator_crl: path("operator_crl", &file.operator_crl)?,
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
            operator_ca,
            operator_crl,
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
        if operator_crl.is_some() && operator_ca.is_none() {
            let (given, missing) = ("--operator-crl", "--operator-ca");
            return Err(ConfigError::Half { given, missing });
        }
        // Who signs for servers may sign for everybody who asks, whatever name he asks for.
        let operators = Authority {
            certificate: operator_ca,
            revocations: operator_crl,
        };
        if let Some(certificate) = &operators.certificate {
            // One that cannot be used is told of now, not when somebody needs it.
            Verifier::read(certificate, operators.revocations.as_deref())?;
        }
        let credentials = Credentials {
            ca,
            certificate: own,
            token,
            insecure,
            ..Credentials::default()
        };
        let collector = self.collector.clone();
        Ok(Secured {
            collector: collector.map(|it| it.with(credentials)).transpose()?,
            insecure: insecure && tls.is_none(),
            operators,
            tls,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use api::certificates::{Authority, LEAF_DAYS, Purpose};
    use clap::CommandFactory as _;

    use super::*;
    use crate::config::Args;

    fn secure(flags: &[&str]) -> Result<Secured, String> {
        let line = [&["picket-agent", "--node", "n1"], flags].concat();
        let matches = Args::command().try_get_matches_from(line).unwrap();
        let config = Config::read(&matches).unwrap();
        config.secure().map_err(|error| error.to_string())
    }

    #[test]
    fn on_one_machine_nothing_is_needed() {
        for flags in [
            &[][..],
            &["--listen", "unix:/run/picket.sock"],
            &[
                "--listen",
                "[::1]:7401",
                "--collector",
                "http://localhost:7400",
            ],
            &["--collector", "unix:/run/picket.sock"],
        ] {
            let secured = secure(flags).unwrap();
            assert!(secured.tls.is_none() && !secured.insecure);
        }
    }

    #[test]
    fn beyond_it_nothing_is_spoken_in_the_clear_unless_somebody_asks_for_it() {
        for (flags, expected) in [
            (&["--listen", "0.0.0.0:7401"][..], "--insecure"),
            (
                &["--listen", "127.0.0.1:1", "--listen", "10.0.0.1:1"],
                "10.0.0.1:1",
            ),
            (&["--collector", "http://10.0.0.1:7400"], "--insecure"),
            (&["--collector", "http://collector:7400"], "https://"),
            (&["--collector", "https://collector:7400"], "--tls-ca"),
        ] {
            let refused = secure(flags).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
        for flags in [
            &["--listen", "0.0.0.0:7401", "--insecure"][..],
            &["--collector", "http://collector:7400", "--insecure"],
        ] {
            assert!(secure(flags).unwrap().insecure);
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
    fn who_signs_for_the_collector_makes_no_operators() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), 10, SystemTime::now()).unwrap();
        let ca = authority.certificate().display().to_string();
        let collector = ["--collector", "https://collector:7400", "--tls-ca", &ca];
        assert_eq!(secure(&collector).unwrap().operators.certificate, None);
        let told = [&collector[..], &["--operator-ca", &ca]].concat();
        let operators = secure(&told).unwrap().operators;
        assert_eq!(operators.certificate, Some(authority.certificate()));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
    fn a_secret_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), 10, SystemTime::now()).unwrap();
        let purpose = Purpose::Server(&["localhost".to_owned()]);
        let own = authority.issue(purpose, LEAF_DAYS, SystemTime::now());
        let own = own.unwrap();
        let nonsense = folder.path().join("nonsense");
        fs::write(&nonsense, "two words").unwrap();
        let text = |path: &PathBuf| path.display().to_string();
        let (cert, key, ca) = (
            text(&own.certificate),
            text(&own.key),
            text(&authority.certificate()),
        );
        let (nonsense, away) = (text(&nonsense), text(&folder.path().join("away")));
        let collector = ["--collector", "https://collector:7400"];
        secure(
            &[
                &collector[..],
                &["--tls-ca", &ca, "--tls-cert", &cert, "--tls-key", &key],
            ]
            .concat(),
        )
        .unwrap();
        for (flags, expected) in [
            (["--tls-cert", &cert, "--tls-ca", &ca], "--tls-key"),
            (["--tls-key", &key, "--tls-ca", &ca], "--tls-cert"),
            (
                ["--operator-crl", &nonsense, "--tls-ca", &ca],
                "--operator-crl needs --operator-ca",
            ),
            (["--operator-ca", &away, "--tls-ca", &ca], "away"),
            (["--tls-ca", &away, "--tick", "1s"], "away"),
            (["--tls-ca", &nonsense, "--tick", "1s"], "nonsense"),
            (["--tls-ca", &ca, "--token", &away], "away"),
            (["--tls-ca", &ca, "--token", &nonsense], "one word"),
        ] {
            let refused = secure(&[&collector[..], &flags].concat()).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
