//! The flags, each also an environment variable and a key of the file.

use std::path::PathBuf;

use crate::replay::PodAddress;

/// What else there is to do.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Removes every program, map and link that agents have left on this node, whatever their version.
    Detach,
    /// Says what is wrong with this node, or worth knowing, and what to do about it.
    Doctor,
    /// Runs a capture through the programs and detectors, and writes events for `picket replay` to print.
    Replay {
        /// Capture to replay: pcap or pcapng.
        file: PathBuf,

        /// MAC or IP address that tells the pod's packets from all others; may be given several times.
        #[arg(long, value_name = "ADDRESS")]
        pod: Vec<PodAddress>,
    },
}

/// Watches the traffic of every pod of this node, and tells when one starts to look around.
///
/// Every flag is also a key of the configuration file, written with underscores. Flags win over the
/// environment, the environment over the file.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "picket-agent", version)]
pub struct Args {
    /// What to do instead of watching.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// YAML file with more configuration, and with how the detectors are set.
    #[arg(long, value_name = "FILE", env = "PICKET_CONFIG")]
    pub config: Option<String>,

    /// Name of the node [default: the name of the host].
    #[arg(long, value_name = "NAME", env = "PICKET_NODE")]
    pub node: Option<String>,

    /// Collector to deliver to, as https://HOST:PORT, http://HOST:PORT or unix:PATH; without one the agent stands alone.
    #[arg(long, value_name = "ADDRESS", env = "PICKET_COLLECTOR")]
    pub collector: Option<String>,

    /// Where events wait for the collector: a directory of this agent's own; none to keep them in memory.
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "PICKET_SPOOL",
        default_value = "/var/lib/picket/spool"
    )]
    pub spool: String,

    /// How much of them is kept, such as 64MiB; at least 1MiB.
    #[arg(
        long,
        value_name = "BYTES",
        env = "PICKET_SPOOL_BYTES",
        default_value = "64MiB"
    )]
    pub spool_bytes: String,

    /// Where to serve gRPC, as HOST:PORT or unix:PATH; may be given several times.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "PICKET_LISTEN",
        value_delimiter = ' ',
        default_value = "127.0.0.1:7401"
    )]
    pub listen: Vec<String>,

    /// Certificate of this node, shown to the collector, and to who asks the agent from beyond this machine.
    #[arg(long, value_name = "FILE", env = "PICKET_TLS_CERT")]
    pub tls_cert: Option<String>,

    /// The private key of that certificate.
    #[arg(long, value_name = "FILE", env = "PICKET_TLS_KEY")]
    pub tls_key: Option<String>,

    /// Who signs the certificates of the collector, and of who asks the agent from beyond this machine.
    #[arg(long, value_name = "FILE", env = "PICKET_TLS_CA")]
    pub tls_ca: Option<String>,

    /// Kubernetes token that tells the collector whose agent this is, instead of a certificate.
    #[arg(long, value_name = "FILE", env = "PICKET_TOKEN")]
    pub token: Option<String>,

    /// Who signs the certificates of operators, whose commands to contain pods are obeyed; without it nobody's are.
    #[arg(long, value_name = "FILE", env = "PICKET_OPERATOR_CA")]
    pub operator_ca: Option<String>,

    /// Which of those certificates are revoked.
    #[arg(long, value_name = "FILE", env = "PICKET_OPERATOR_CRL")]
    pub operator_crl: Option<String>,

    /// Speak beyond this machine without TLS: whoever is on the way reads along, and may lie.
    #[arg(long, env = "PICKET_INSECURE")]
    pub insecure: bool,

    /// Where to serve /metrics, /healthz and /readyz over HTTP.
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "PICKET_METRICS",
        default_value = "127.0.0.1:7403"
    )]
    pub metrics: String,

    /// YAML file that names the pods by their addresses.
    #[arg(long, value_name = "FILE", env = "PICKET_POD_TABLE")]
    pub pod_table: Option<String>,

    /// File that keeps whose the node's interfaces are over restarts; without it only the collector tells.
    #[arg(long, value_name = "FILE", env = "PICKET_IDENTITY")]
    pub identity: Option<String>,

    /// File that keeps what is usual for each workload over restarts; without it that is learned anew.
    #[arg(long, value_name = "FILE", env = "PICKET_BASELINES")]
    pub baselines: Option<String>,

    /// File that keeps the policy that the collector tells, so that it holds after a restart without one.
    #[arg(long, value_name = "FILE", env = "PICKET_POLICY")]
    pub policy: Option<String>,

    /// Interfaces to watch, by name [default: every veth to another network namespace, but uplinks].
    #[arg(
        long,
        value_name = "GLOB",
        env = "PICKET_INTERFACES",
        value_delimiter = ' ',
        num_args = 1..
    )]
    pub interfaces: Vec<String>,

    /// What becomes of interfaces that a default route leads through: watch, for the node itself is watched there; or
    /// ignore.
    #[arg(
        long,
        value_name = "MODE",
        env = "PICKET_UPLINKS",
        default_value = "watch"
    )]
    pub uplinks: String,

    /// How many interfaces can be watched at once; each takes 64 kB.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "PICKET_SLOTS",
        default_value = "256"
    )]
    pub slots: String,

    /// How often to read the counts; at least 10ms.
    #[arg(
        long,
        value_name = "DURATION",
        env = "PICKET_TICK",
        default_value = "100ms"
    )]
    pub tick: String,

    /// Estimate traffic volume from one packet in this many.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "PICKET_SAMPLE_RATE",
        default_value = "16"
    )]
    pub sample_rate: String,

    /// How to attach: auto, tcx or clsact.
    #[arg(
        long,
        value_name = "MODE",
        env = "PICKET_ATTACH",
        default_value = "auto"
    )]
    pub attach: String,

    /// Where to pin programs, maps and links, on a bpffs; none to let them end with the agent.
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "PICKET_PIN",
        default_value = "/sys/fs/bpf/picket"
    )]
    pub pin: String,

    /// How often the agent scans itself to see that it still sees, from 10s to 5m; or off.
    #[arg(
        long,
        value_name = "DURATION",
        env = "PICKET_CANARY",
        default_value = "60s"
    )]
    pub canary: String,

    /// What the kernel programs log: off, error, warn, info, debug or trace.
    #[arg(
        long,
        value_name = "LEVEL",
        env = "PICKET_KERNEL_LOG",
        default_value = "off"
    )]
    pub kernel_log: String,

    /// What to log, such as info or agent::deliver=debug,warn.
    #[arg(
        long,
        value_name = "FILTER",
        env = "PICKET_LOG",
        default_value = "info"
    )]
    pub log: String,

    /// How to log: text or json.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "PICKET_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: String,
}
