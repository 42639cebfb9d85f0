//! Who may talk to the collector: flags and files to what is used.

use std::path::PathBuf;

use api::transport::{Listen, SecretError, Tls, TlsFiles};
use clap::Args;

use crate::access::{ReviewError, ServiceAccount, Subscribers, SubscribersError};

/// What is given of it.
#[derive(Args, Clone, Debug, Default)]
pub struct SecurityFlags {
    /// Serve TLS on every TCP address, with the certificate in this file
    #[arg(long, value_name = "FILE", env = "PICKET_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of that certificate
    #[arg(long, value_name = "FILE", env = "PICKET_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// Believe the certificates of agents and subscribers that these authorities sign
    #[arg(long, value_name = "FILE", env = "PICKET_TLS_CLIENT_CA")]
    pub tls_client_ca: Option<PathBuf>,
    /// But not those that these lists revoke
    #[arg(long, value_name = "FILE", env = "PICKET_TLS_CRL")]
    pub tls_crl: Option<PathBuf>,
    /// YAML file of who may see events, and of which namespaces; without it nobody may over TLS
    #[arg(long, value_name = "FILE", env = "PICKET_SUBSCRIBERS")]
    pub subscribers: Option<PathBuf>,
    /// Believe tokens of this Kubernetes service account, for the node that each names
    #[arg(
        long,
        value_name = "NAMESPACE:NAME",
        env = "PICKET_AGENT_SERVICE_ACCOUNT"
    )]
    pub agent_service_account: Option<String>,
    /// Serve without TLS beyond this machine: whoever reaches the collector may do everything
    #[arg(long, env = "PICKET_INSECURE")]
    pub insecure: bool,
}

/// What is used of it. By default whoever reaches the collector may do everything.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// What is spoken on TCP.
    pub tls: Option<Tls>,
    /// Who may see events.
    pub subscribers: Subscribers,
    /// Whose tokens are believed.
    pub agents: Option<ServiceAccount>,
    /// Whether that is so beyond this machine too.
    pub insecure: bool,
}

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// Everybody could read along, and write.
    #[error(
        "not listening on {listen} without TLS, for others than this machine reach it: give --tls-cert and --tls-key (`picket certs` makes them), or --insecure"
    )]
    Plain {
        /// The address.
        listen: Listen,
    },
    /// Half of what is needed.
    #[error("{given} needs {missing} beside it")]
    Half {
        /// What is there.
        given: &'static str,
        /// And what is not.
        missing: &'static str,
    },
    /// Both cannot be.
    #[error("--insecure and --tls-cert exclude each other: give one of them")]
    Both,
    /// A file cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The subscribers cannot.
    #[error(transparent)]
    Subscribers(#[from] SubscribersError),
    /// Tokens cannot.
    #[error("cannot use --agent-service-account")]
    Review(#[from] ReviewError),
}

impl SecurityFlags {
    /// Each of these, or else of the others.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            tls_cert: self.tls_cert.or(others.tls_cert),
            tls_key: self.tls_key.or(others.tls_key),
            tls_client_ca: self.tls_client_ca.or(others.tls_client_ca),
            tls_crl: self.tls_crl.or(others.tls_crl),
            subscribers: self.subscribers.or(others.subscribers),
            agent_service_account: self.agent_service_account.or(others.agent_service_account),
            insecure: self.insecure || others.insecure,
        }
    }

    /// Reads all files. There is nothing that stands in for one that cannot be used.
    pub(super) fn load(self, listen: &[Listen]) -> Result<Security, SecurityError> {
        let half = |given, missing| Err(SecurityError::Half { given, missing });
        let files = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => TlsFiles {
                certificate,
                key,
                client_ca: self.tls_client_ca,
                crl: self.tls_crl,
            },
            (Some(_), None) => return half("--tls-cert", "--tls-key"),
            (None, Some(_)) => return half("--tls-key", "--tls-cert"),
            (None, None) => {
                for (is_given, given) in [
                    (self.tls_client_ca.is_some(), "--tls-client-ca"),
                    (self.tls_crl.is_some(), "--tls-crl"),
                    (self.subscribers.is_some(), "--subscribers"),
                    (
                        self.agent_service_account.is_some(),
                        "--agent-service-account",
                    ),
                ] {
                    if is_given {
                        return half(given, "--tls-cert and --tls-key");
                    }
                }
                let beyond = listen.iter().find(|it| !it.is_local());
                return match (beyond, self.insecure) {
                    (Some(listen), false) => Err(SecurityError::Plain {
                        listen: listen.clone(),
                    }),
                    (beyond, _) => Ok(Security {
                        insecure: beyond.is_some(),
                        ..Security::default()
                    }),
                };
            }
        };
        if self.insecure {
            return Err(SecurityError::Both);
        }
        if files.client_ca.is_none() && self.agent_service_account.is_none() {
            return half(
                "--tls-cert",
                "--tls-client-ca or --agent-service-account, to tell agents apart,",
            );
        }
        if files.client_ca.is_none() && files.crl.is_some() {
            return half("--tls-crl", "--tls-client-ca");
        }
        let subscribers = self.subscribers.as_deref().map(Subscribers::read);
        let agents = self.agent_service_account.as_deref();
        Ok(Security {
            tls: Some(Tls::load(files)?),
            subscribers: subscribers.transpose()?.unwrap_or_default(),
            agents: agents.map(ServiceAccount::of_pod).transpose()?,
            insecure: false,
        })
    }
}
