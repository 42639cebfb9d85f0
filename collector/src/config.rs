//! The configuration: flags, then the file, then defaults; checked as a whole before anything runs.

mod file;
mod kept;
mod log;
mod security;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use api::{
    pods::{self, Pods, PodsError},
    transport::Listen,
};
use clap::Parser;
pub use file::FileError;
use kept::Named;
pub use kept::RetainError;
pub use log::LogFormat;
pub use security::{Security, SecurityError, SecurityFlags};
use tracing_subscriber::{EnvFilter, filter::ParseError};

pub use crate::{
    access::{ReviewError, ServiceAccount, Subscribers, SubscribersError},
    correlate::{SettingError, Settings},
    detectors::{ConfigMap, ConfigMapError},
    identity::{Cluster, ClusterError},
    outputs::{Outputs, OutputsError},
    store::{Cause, Database, DatabaseError, Postgres, Retain, StoreError},
};

const LOG: &str = "info";

/// Collects the events of all agents, keeps them, and hands them to subscribers.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "picket-collector", version)]
pub struct Flags {
    /// YAML file with the same names as these flags, in snake_case; flags win over it
    #[arg(long, value_name = "FILE", env = "PICKET_CONFIG")]
    pub config: Option<PathBuf>,
    /// Serve gRPC on HOST:PORT or unix:PATH, may be given several times [default: 127.0.0.1:7400]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "PICKET_LISTEN",
        value_delimiter = ' '
    )]
    pub listen: Vec<Listen>,
    /// Serve /metrics, /healthz and /readyz on HOST:PORT [default: 127.0.0.1:7402]
    #[arg(long, value_name = "ADDRESS", env = "PICKET_METRICS")]
    pub metrics: Option<SocketAddr>,
    /// Serve the page on HOST:PORT, or none [default: 127.0.0.1:7405]
    #[arg(long, value_name = "ADDRESS", env = "PICKET_PAGE")]
    pub page: Option<String>,
    /// Keep the events in this SQLite file, or in the database at postgres://USER:PASSWORD@HOST/NAME, which
    /// several collectors may share [default: picket.db]
    #[arg(
        long,
        value_name = "FILE|URL",
        env = "PICKET_DATABASE",
        hide_env_values = true
    )]
    pub database: Option<String>,
    /// Read the URL of the database from this file, instead of --database
    #[arg(long, value_name = "FILE", env = "PICKET_DATABASE_URL_FILE")]
    pub database_url_file: Option<PathBuf>,
    /// Remove events this long after they came, or never: a duration, or none [default: 30d]
    #[arg(long, value_name = "DURATION", env = "PICKET_RETAIN")]
    pub retain: Option<String>,
    /// Remove the oldest events when all have more bytes, as in `10GiB`, or none [default: 8GiB]
    #[arg(long, value_name = "BYTES", env = "PICKET_RETAIN_BYTES")]
    pub retain_bytes: Option<String>,
    /// YAML file of nodes and pods; without it every node is welcome and no pod is named
    #[arg(long, value_name = "FILE", env = "PICKET_POD_TABLE")]
    pub pod_table: Option<PathBuf>,
    /// YAML file of how the detectors of all nodes are set, read again when it changes; without it each agent's own
    /// says so
    #[arg(long, value_name = "FILE", env = "PICKET_DETECTORS")]
    pub detectors: Option<PathBuf>,
    /// The ConfigMap that this file is mounted from, which the page may change
    #[arg(
        long,
        value_name = "NAMESPACE/NAME",
        env = "PICKET_DETECTORS_CONFIG_MAP"
    )]
    pub detectors_config_map: Option<ConfigMap>,
    /// YAML file of where events are sent, read again when it changes
    #[arg(long, value_name = "FILE", env = "PICKET_OUTPUTS")]
    pub outputs: Option<PathBuf>,
    /// Learn nodes, pods and Services from the API server of this pod's cluster
    #[arg(long, env = "PICKET_KUBERNETES", conflicts_with = "pod_table")]
    pub kubernetes: bool,
    /// The same, from the cluster that this kubeconfig names
    #[arg(
        long,
        value_name = "FILE",
        env = "PICKET_KUBECONFIG",
        conflicts_with_all = ["pod_table", "kubernetes"]
    )]
    pub kubeconfig: Option<PathBuf>,
    /// Who may talk to the collector
    #[command(flatten)]
    pub security: SecurityFlags,
    /// Log what passes this filter, as in `warn,collector=debug` [default: info]
    #[arg(long, value_name = "FILTER", env = "PICKET_LOG")]
    pub log: Option<String>,
    /// Log in this format [default: text]
    #[arg(long, value_name = "FORMAT", env = "PICKET_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// Where gRPC is served; never empty.
    pub listen: Vec<Listen>,
    /// Where HTTP is served.
    pub metrics: SocketAddr,
    /// Where the page is served.
    pub page: Option<Listen>,
    /// Where the events are kept.
    pub database: Database,
    /// And for how long.
    pub retain: Retain,
    /// The pod table, already read.
    pub pods: Pods,
    /// How the detectors of all nodes are set.
    pub detectors: Option<PathBuf>,
    /// The ConfigMap that says so.
    pub detectors_config_map: Option<ConfigMap>,
    /// Where events are sent.
    pub outputs: Option<Outputs>,
    /// The cluster to learn more from.
    pub cluster: Option<Cluster>,
    /// When events of several pods are one thing.
    pub correlate: Settings,
    /// Who may talk to the collector, and what it shows them.
    pub security: Security,
    /// What is logged.
    pub log: EnvFilter,
    /// And how.
    pub log_format: LogFormat,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database cannot.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// How long events are kept cannot.
    #[error(transparent)]
    Retain(#[from] RetainError),
    /// The pod table cannot.
    #[error(transparent)]
    Pods(#[from] PodsError),
    /// What is to be correlated cannot.
    #[error("cannot use correlate.{key} = `{value}` of line {line} of the configuration: {source}")]
    Correlate {
        /// The correlation and its key.
        key: String,
        /// The value.
        value: String,
        /// Where it is.
        line: u64,
        /// What is wrong with it.
        source: SettingError,
    },
    /// Where events are sent cannot.
    #[error(transparent)]
    Outputs(#[from] OutputsError),
    /// Who may talk to the collector is not told well enough.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The page cannot be served there.
    #[error("cannot serve the page on `{0}`: write an address like 127.0.0.1:7405, or none")]
    Page(String),
    /// A ConfigMap, without a cluster that it is in.
    #[error(
        "--detectors-config-map needs --detectors, and --kubernetes or --kubeconfig, beside it"
    )]
    ConfigMap,
    /// The log filter cannot.
    #[error(
        "cannot use `{text}` as log filter; write a level, or targets with levels as in `warn,collector=debug`"
    )]
    Log {
        /// The filter.
        text: String,
        /// What is wrong with it.
        source: ParseError,
    },
}

impl Config {
    /// Takes what the flags say, then what the file says, then the defaults.
    ///
    /// # Errors
    /// When a file cannot be read, or a value cannot be used.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        let file = flags.config.as_deref().map(file::read).transpose()?;
        let mut file = file.unwrap_or_default();
        let security = flags.security.or(file.security());
        let text = flags.log.or(file.log).unwrap_or_else(|| LOG.into());
        let listen = listen(flags.listen, &file.listen);
        let page = page(flags.page.or(file.page))?;
        let all: Vec<_> = listen.iter().chain(&page).cloned().collect();
        let detectors = flags.detectors.or(file.detectors);
        let detectors_config_map = flags.detectors_config_map.or(file.detectors_config_map);
        let cluster = cluster(
            flags.kubernetes || file.kubernetes,
            flags.kubeconfig.or(file.kubeconfig),
        );
        if detectors_config_map.is_some() && (detectors.is_none() || cluster.is_none()) {
            return Err(ConfigError::ConfigMap);
        }
        Ok(Self {
            security: security.load(&all)?,
            listen,
            page,
            metrics: flags
                .metrics
                .or(file.metrics)
                .unwrap_or_else(|| ([127, 0, 0, 1], 7402).into()),
            database: kept::database([
                Named {
                    database: flags.database,
                    url_file: flags.database_url_file,
                },
                Named {
                    database: file.database,
                    url_file: file.database_url_file,
                },
            ])?,
            retain: kept::retain(
                flags.retain.or(file.retain),
                flags.retain_bytes.or(file.retain_bytes),
            )?,
            cluster,
            pods: table(flags.pod_table.or(file.pod_table).as_deref())?,
            detectors,
            detectors_config_map,
            outputs: flags
                .outputs
                .or(file.outputs)
                .as_deref()
                .map(Outputs::read)
                .transpose()?,
            correlate: correlate(file.correlate)?,
            log: EnvFilter::try_new(&text).map_err(|source| ConfigError::Log { text, source })?,
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
        })
    }
}

fn listen(flags: Vec<Listen>, file: &[file::Address]) -> Vec<Listen> {
    let listen = if flags.is_empty() {
        file.iter().map(|address| address.0.clone()).collect()
    } else {
        flags
    };
    if listen.is_empty() {
        return vec![Listen::Tcp(([127, 0, 0, 1], 7400).into())];
    }
    listen
}

/// On this machine alone, unless somebody says otherwise.
fn page(text: Option<String>) -> Result<Option<Listen>, ConfigError> {
    match text.as_deref() {
        None => Ok(Some(Listen::Tcp(([127, 0, 0, 1], 7405).into()))),
        Some("none") => Ok(None),
        Some(text) => match text.parse() {
            Ok(address) => Ok(Some(Listen::Tcp(address))),
            Err(_) => Err(ConfigError::Page(text.to_owned())),
        },
    }
}

fn correlate(file: file::Correlate) -> Result<Settings, ConfigError> {
    let mut settings = Settings::default();
    for (correlation, keys) in file {
        for (key, value) in keys {
            let set = settings.set(&correlation, &key, &value.value);
            set.map_err(|source| ConfigError::Correlate {
                key: format!("{correlation}.{key}"),
                line: value.referenced.line(),
                value: value.value,
                source,
            })?;
        }
    }
    Ok(settings)
}

fn cluster(own: bool, kubeconfig: Option<PathBuf>) -> Option<Cluster> {
    let other = kubeconfig.map(Cluster::Kubeconfig);
    other.or(own.then_some(Cluster::Own))
}

fn table(path: Option<&Path>) -> Result<Pods, PodsError> {
    path.map_or_else(|| Ok(Pods::default()), pods::read)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    fn load(yaml: &str, flags: &[&str]) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collector.yaml");
        fs::write(&path, yaml).unwrap();
        let mut flags = Flags::try_parse_from([&["picket-collector"], flags].concat()).unwrap();
        flags.config = Some(path);
        Config::load(flags).unwrap()
    }

    fn listen(config: &Config) -> Vec<String> {
        config.listen.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_the_defaults() {
        let yaml = "listen: ['127.0.0.1:1', 'unix:/run/file.sock']\n\
                    metrics: '127.0.0.1:2'\n\
                    database: file.db\n\
                    correlate: {distributed_scan: {sources: 4, window: 1m}}\n\
                    log: warn\n\
                    log_format: json\n";
        let config = load(yaml, &[]);
        assert_eq!(listen(&config), ["127.0.0.1:1", "unix:/run/file.sock"]);
        assert_eq!(config.metrics.port(), 2);
        assert_eq!(config.database.to_string(), "file.db");
        assert_eq!(config.correlate.distributed_scan.sources, 4);
        assert_eq!(config.correlate.distributed_scan.nodes, 2);
        assert_eq!(config.correlate.distributed_scan.window.as_secs(), 60);
        assert_eq!(config.log.to_string(), "warn");
        assert_eq!(config.log_format, LogFormat::Json);

        let flags = [
            "--listen",
            "127.0.0.1:3",
            "--listen",
            "[::1]:4",
            "--database",
            "flag.db",
        ];
        let config = load(yaml, &flags);
        assert_eq!(listen(&config), ["127.0.0.1:3", "[::1]:4"]);
        assert_eq!(config.database.to_string(), "flag.db");
        assert_eq!(config.metrics.port(), 2);
    }

    #[test]
    fn the_file_says_who_may_talk_to_the_collector_too() {
        let yaml = "listen: ['0.0.0.0:1']\ninsecure: true\n";
        assert!(load(yaml, &[]).security.insecure);
        assert!(
            load("listen: ['0.0.0.0:1']\n", &["--insecure"])
                .security
                .insecure
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collector.yaml");
        fs::write(
            &path,
            "tls_cert: /nowhere/a.crt\ntls_key: a.key\ntls_client_ca: ca.crt\n",
        )
        .unwrap();
        let flags = Flags {
            config: Some(path),
            ..Flags::default()
        };
        let error = Config::load(flags).unwrap_err().to_string();
        assert!(error.contains("/nowhere/a.crt"), "{error}");
    }

    #[test]
    fn an_empty_file_leaves_the_defaults() {
        for yaml in ["", "# nothing\n", "listen: []\n"] {
            let config = load(yaml, &[]);
            assert_eq!(listen(&config), ["127.0.0.1:7400"]);
            assert_eq!(config.metrics.to_string(), "127.0.0.1:7402");
            let page = config.page.map(|it| it.to_string());
            assert_eq!(page.as_deref(), Some("127.0.0.1:7405"));
            assert_eq!(config.database.to_string(), "picket.db");
            let retain = Retain {
                age: Some(Duration::from_secs(30 * 24 * 60 * 60)),
                bytes: Some(8 << 30),
            };
            assert_eq!(config.retain, retain);
            let all = load(yaml, &["--retain", "none", "--retain-bytes", "none"]);
            assert_eq!(all.retain, Retain::default());
            assert!(config.pods.is_empty() && config.pods.knows_node("any"));
        }
    }

    #[test]
    fn the_page_is_served_where_it_is_told_or_not_at_all() {
        let none = load("page: none\n", &[]).page;
        assert!(none.is_none());
        let page = load("page: none\n", &["--page", "[::1]:1"]).page;
        assert_eq!(page.map(|it| it.to_string()).as_deref(), Some("[::1]:1"));
        let flags = |text| Flags::try_parse_from(["picket-collector", "--page", text]).unwrap();
        let wrong = Config::load(flags("7405")).unwrap_err().to_string();
        assert!(wrong.contains("`7405`"), "{wrong}");
        let open = Config::load(flags("0.0.0.0:7405")).unwrap_err().to_string();
        assert!(open.contains("without TLS"), "{open}");
    }
}
