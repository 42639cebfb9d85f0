//! The command line.

use std::path::PathBuf;

use api::{
    transport::{Credentials, Remote, TransportError},
    v1,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{
    anomalies::AnomaliesArguments,
    certs::CertsArguments,
    config::ConfigArguments,
    contain::{ContainArguments, Own, ReleaseArguments},
    detectors::DetectorsArguments,
    doctor::DoctorArguments,
    explain::ExplainArguments,
    graph::GraphArguments,
    policy::PolicyArguments,
    selftest::SelftestArguments,
    severity::Severity,
    time::Since,
};

/// See what Picket found, and what it watches.
#[derive(Debug, Parser)]
#[command(name = "picket", version)]
pub struct Arguments {
    /// Collector or agent to ask: https://HOST:PORT, http://HOST:PORT or unix:PATH.
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        env = "PICKET_SERVER",
        default_value = "http://127.0.0.1:7400"
    )]
    server: Remote,

    /// Who signs the server's certificate.
    #[arg(long, global = true, value_name = "FILE", env = "PICKET_TLS_CA")]
    tls_ca: Option<PathBuf>,

    /// Certificate that says who asks.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PICKET_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,

    /// Private key of that certificate.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PICKET_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,

    /// File of a bearer token that says who asks.
    #[arg(long, global = true, value_name = "FILE", env = "PICKET_TOKEN_FILE")]
    token_file: Option<PathBuf>,

    /// Ask beyond this machine without TLS: whoever is on the way reads along.
    #[arg(long, global = true, env = "PICKET_INSECURE")]
    insecure: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// The certificate of whoever asks, and its key.
    pub(crate) fn own(&self) -> Own {
        self.tls_cert.clone().zip(self.tls_key.clone())
    }

    /// Whom to ask, and as whom.
    pub(crate) fn remote(&self) -> Result<Remote, TransportError> {
        self.server.clone().with(Credentials {
            ca: self.tls_ca.clone(),
            certificate: self.own(),
            token: self.token_file.clone(),
            insecure: self.insecure,
        })
    }

    /// That says who asks.
    pub(crate) fn certificate(&self) -> Option<PathBuf> {
        self.tls_cert.clone()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print events, oldest first.
    #[command(after_long_help = EVENTS_HELP)]
    Events(EventsArguments),
    /// Print anomalies, the most urgent first, each with all of its events together.
    Anomalies(AnomaliesArguments),
    /// Print everything that was told of one anomaly, and what people made of it.
    Explain(ExplainArguments),
    /// Print who talks to whom, and where anomalies are open.
    Graph(GraphArguments),
    /// Print how the detectors of all nodes are set, and what they find.
    Detectors(DetectorsArguments),
    /// Print nodes, what they watch, and what they cannot see.
    #[command(after_long_help = STATUS_HELP)]
    Status(StatusArguments),
    /// Say what is wrong with any node, or worth knowing, and what to do about it.
    #[command(after_long_help = DOCTOR_HELP)]
    Doctor(DoctorArguments),
    /// Let every agent scan itself, wait for the events of that, and say how it went.
    #[command(after_long_help = SELFTEST_HELP)]
    Selftest(SelftestArguments),
    /// Let a pod reach no new port for a while.
    #[command(after_long_help = CONTAIN_HELP)]
    Contain(ContainArguments),
    /// Let a contained pod reach new ports again.
    #[command(after_long_help = CONTAIN_HELP)]
    Release(ReleaseArguments),
    /// Print a NetworkPolicy that quarantines a pod, and what it would cut.
    #[command(after_long_help = POLICY_HELP)]
    Policy(PolicyArguments),
    /// Check how the detectors are set, and see which policy is in force where.
    Config(ConfigArguments),
    /// Run a capture through the programs and detectors, and print what they find in it.
    #[command(after_long_help = REPLAY_HELP)]
    Replay(ReplayArguments),
    /// Make an authority, and certificates for collectors, agents, subscribers and operators.
    #[command(after_long_help = CERTS_HELP)]
    Certs(CertsArguments),
    /// Print the completion script of a shell.
    Completions(CompletionsArguments),
    /// Write the man pages.
    Man(ManArguments),
}

#[derive(Args, Debug)]
pub(crate) struct EventsArguments {
    /// Stay, and print new events as they come.
    ///
    /// Without --since and --after only new events are printed. When the server goes away, picket
    /// waits for it and resumes where it was.
    #[arg(long, short)]
    pub(crate) follow: bool,

    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,

    /// Only events raised since: a duration such as 1h, or a time such as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,

    /// Only events after this position in the collector's log.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<u64>,

    /// Only events of this namespace; may be repeated.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) namespace: Vec<String>,

    /// Only events of this pod; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) pod: Vec<String>,

    /// Only events of pods with this label; may be repeated, and then all of them must match.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,

    /// Only events of this node; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Vec<String>,

    /// Only events of this detector, such as port_scan; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) detector: Vec<String>,

    /// Only events of this state; may be repeated.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Vec<State>,

    /// Only events of this severity and above.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) min_severity: Option<Severity>,

    /// Stop after this many events.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("it takes the name and the value of a label, such as app=shop")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Args, Debug)]
pub(crate) struct StatusArguments {
    /// Print one JSON object a node and line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    /// Capture to replay: pcap or pcapng.
    pub(crate) file: PathBuf,

    /// MAC or IP address that tells the pod's packets from all others; may be repeated.
    ///
    /// Without, the MAC address that takes part in all packets, or else the IP address that takes part
    /// in most.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) pod: Vec<String>,

    /// Print one JSON object a line, as `picket events --json` does.
    #[arg(long)]
    pub(crate) json: bool,

    /// Configuration of an agent, whose thresholds to try.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// YAML file that names the pods by their addresses.
    #[arg(long, value_name = "FILE")]
    pub(crate) pod_table: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManArguments {
    /// Directory to write them to.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    Opened,
    Updated,
    Closed,
}

impl From<State> for v1::State {
    fn from(state: State) -> Self {
        match state {
            State::Opened => Self::Opened,
            State::Updated => Self::Updated,
            State::Closed => Self::Closed,
        }
    }
}

const EVENTS_HELP: &str = "\
With --json each line is an object whose `kind` is `event` or `gap`. Its fields are those of \
picket.v1.Event and picket.v1.Gap, in snake_case. Times are RFC 3339 in UTC with nanoseconds, or null \
when not known. Enums are short lower-case names, such as opened, high, tcp_syn. `window` is in \
seconds, such as 60s. `id.epoch` is a string, because it exceeds what many JSON readers hold in a \
number.";

const CONTAIN_HELP: &str = "\
A contained pod keeps its connections and the ports it uses, and reaches no new one. The agent of its node \
obeys what an operator has signed: give --operator-cert and --operator-key of `picket certs operator`. The lease \
ends by itself, whatever becomes of agent and collector. Some pods nobody may contain: those of kube-system and \
openshift-dns, and those on the protected list of the configuration, which the chart puts Picket's own on.";

const POLICY_HELP: &str = "\
Nothing is applied: the text is for a person to read, and to hand to kubectl. What it would cut is told \
from what agents saw answered within the last hour, at most 64 endpoints a pod.";

const CERTS_HELP: &str = "\
DIR holds ca.crt, which everybody may have; ca.key, which signs and so must stay where it is; and \
ca.crl, which lists what is revoked. What is running reads new files by itself.";

const REPLAY_HELP: &str = "\
The work is done by picket-agent, beside picket or in PATH, which needs the rights it needs to watch. The \
capture's own times are the clock, and no interface is touched. The name of the file stands for that of \
the node. What was guessed, skipped and counted is told on standard error.";

const DOCTOR_HELP: &str = "\
Exits with 1 when something failed. `picket-agent doctor` examines one node without a running agent. With --json \
each line is an object whose `kind` is `finding`; `verdict` is ok, warning, failed or unknown.";

const SELFTEST_HELP: &str = "\
Every agent is asked to scan itself through an interface of its own, which no pod sees. It must find that, and its \
event must come out here; how long after the first packet, EVENT AFTER says, by the clocks of both. COUNTED is what the \
programs counted of the packets that went out, BACK of those that came back. An agent asked by itself (--server), or \
an older one, is waited for until it scans on its own. Exits with 1 when something is missing. With --json each line \
is an object whose `kind` is `selftest`; `result` is found, missed, undelivered, no_scan, not_tested or away.";

const STATUS_HELP: &str = "\
With --json each line is an object whose `kind` is `node`. Its fields are those of picket.v1.Node, in \
snake_case. `status` is null when the node has not reported yet.";
