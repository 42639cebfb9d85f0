//! The command line.

use std::{env, path::PathBuf};

use api::transport::{Credentials, Remote, TransportError};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    anomalies::AnomaliesArguments,
    certs::CertsArguments,
    config::ConfigArguments,
    contain::{ContainArguments, Own, ReleaseArguments},
    detectors::DetectorsArguments,
    doctor::DoctorArguments,
    events::EventsArguments,
    explain::ExplainArguments,
    graph::GraphArguments,
    kubectl::{self, Forward, Forwarded, Service},
    policy::PolicyArguments,
    replay::ReplayArguments,
    selftest::SelftestArguments,
    status::StatusArguments,
    top::TopArguments,
};

const DEFAULT_SERVER: &str = "http://127.0.0.1:7400";

/// Heads the flags that every command has.
const SERVER: &str = "Server";

/// What a user calls the program as kubectl's plugin.
const PLUGIN: &str = "kubectl picket";

/// See what Picket found, and what it watches.
#[derive(Debug, Parser)]
#[command(name = "picket", version)]
pub struct Arguments {
    /// Collector or agent to ask: https://HOST:PORT, http://HOST:PORT or unix:PATH [default: http://127.0.0.1:7400]
    #[arg(long, global = true, help_heading = SERVER, value_name = "ADDRESS", env = "PICKET_SERVER")]
    server: Option<Remote>,

    /// Reach the collector by `kubectl port-forward` to this service [default: as `kubectl picket`, picket/picket-collector]
    #[arg(
        long,
        global = true,
        help_heading = SERVER,
        value_name = "NAMESPACE/NAME",
        conflicts_with = "server"
    )]
    service: Option<Service>,

    /// Which context of the kubeconfig kubectl takes.
    #[arg(long, global = true, help_heading = SERVER, value_name = "NAME")]
    context: Option<String>,

    /// Which kubeconfig kubectl takes.
    #[arg(long, global = true, help_heading = SERVER, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Who signs the server's certificate.
    #[arg(long, global = true, help_heading = SERVER, value_name = "FILE", env = "PICKET_TLS_CA")]
    tls_ca: Option<PathBuf>,

    /// Name that the server's certificate bears, if not that in --server [default: with --service, NAME.NAMESPACE.svc]
    #[arg(long, global = true, help_heading = SERVER, value_name = "NAME", env = "PICKET_TLS_NAME")]
    tls_name: Option<String>,

    /// Certificate that says who asks.
    #[arg(
        long,
        global = true,
        help_heading = SERVER,
        value_name = "FILE",
        env = "PICKET_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,

    /// Private key of that certificate.
    #[arg(
        long,
        global = true,
        help_heading = SERVER,
        value_name = "FILE",
        env = "PICKET_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,

    /// File of a bearer token that says who asks.
    #[arg(long, global = true, help_heading = SERVER, value_name = "FILE", env = "PICKET_TOKEN_FILE")]
    token_file: Option<PathBuf>,

    /// Ask beyond this machine without TLS: whoever is on the way reads along.
    #[arg(long, global = true, help_heading = SERVER, env = "PICKET_INSECURE")]
    insecure: bool,

    /// Whether kubectl called.
    #[arg(skip)]
    is_plugin: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line, whose usage is that of `kubectl picket` when kubectl calls the program by that name.
    /// Ends the program when it is wrong, or asks for help alone.
    #[must_use]
    pub fn read() -> Self {
        let is_plugin = kubectl::is_plugin(env::args_os().next().as_deref());
        let mut command = Self::command();
        if is_plugin {
            command = command.bin_name(PLUGIN);
        }
        let read = Self::from_arg_matches(&command.get_matches());
        let arguments = read.unwrap_or_else(|error| error.format(&mut Self::command()).exit());
        Self {
            is_plugin,
            ..arguments
        }
    }

    /// The certificate of whoever asks, and its key.
    pub(crate) fn own(&self) -> Own {
        self.tls_cert.clone().zip(self.tls_key.clone())
    }

    /// What kubectl is to forward to; none when the server is reached without.
    pub(crate) fn forwarded(&self) -> Option<Forwarded> {
        let by_itself = self.is_plugin && self.server.is_none();
        let service = match &self.service {
            Some(service) => service.clone(),
            None if by_itself => Service::default(),
            None => return None,
        };
        self.command.asks_a_server().then(|| Forwarded {
            service,
            context: self.context.clone(),
            kubeconfig: self.kubeconfig.clone(),
        })
    }

    /// Whom to ask, and as whom; with kubectl's way there, if it is taken.
    pub(crate) fn remote(&self, forward: Option<&Forward>) -> Result<Remote, TransportError> {
        let server = match (forward, &self.server) {
            (Some(forward), _) => {
                let scheme = if self.insecure { "http" } else { "https" };
                format!("{scheme}://127.0.0.1:{}", forward.port).parse()?
            }
            (None, Some(server)) => server.clone(),
            (None, None) => DEFAULT_SERVER.parse()?,
        };
        let name = self.tls_name.clone();
        server.with(Credentials {
            ca: self.tls_ca.clone(),
            name: name.or_else(|| forward.map(|it| it.name.clone())),
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
    /// Watch who contacts whom, what is open, which budgets are spent and how the nodes are.
    #[command(after_long_help = TOP_HELP)]
    Top(TopArguments),
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

impl Command {
    const fn asks_a_server(&self) -> bool {
        match self {
            Self::Replay(_) | Self::Certs(_) | Self::Completions(_) | Self::Man(_) => false,
            Self::Config(config) => config.asks_a_server(),
            _ => true,
        }
    }
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

const EVENTS_HELP: &str = "\
With --output json each line is an object whose `kind` is `event` or `gap`. Its fields are those of \
picket.v1.Event and picket.v1.Gap, in snake_case. Times are RFC 3339 in UTC with nanoseconds, or null \
when not known. Enums are short lower-case names, such as opened, high, tcp_syn. `window` is in \
seconds, such as 60s. `id.epoch` is a string, because it exceeds what many JSON readers hold in a \
number. With --output yaml each of them is a document.

A pod is NAME or NAMESPACE/NAME, where * stands for any characters and ? for any one. --not takes FIELD=VALUE, where the \
field is namespace, pod, label, node, detector, severity or state: --not detector=canary, --not pod=kube-system/*. \
Filters of different fields must all match, and none of --not may.";

const TOP_HELP: &str = "\
Keys: Tab goes to the next panel, the arrows choose a row, Enter opens the chosen anomaly, s sorts by the next column, \
r the other way round, / filters by a text, p pauses, q ends. LAG is how long ago a node was heard of; COUNTED is \
what an anomaly has counted against its threshold. A port with a question mark is declared by no Service.";

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
Exits with 1 when something failed. `picket-agent doctor` examines one node without a running agent. With --output json \
each line is an object whose `kind` is `finding`; `verdict` is ok, warning, failed or unknown.";

const SELFTEST_HELP: &str = "\
Every agent is asked to scan itself through an interface of its own, which no pod sees. It must find that, and its \
event must come out here; how long after the first packet, EVENT AFTER says, by the clocks of both. COUNTED is what the \
programs counted of the packets that went out, BACK of those that came back. An agent asked by itself (--server), or \
an older one, is waited for until it scans on its own. Exits with 1 when something is missing. With --output json each line \
is an object whose `kind` is `selftest`; `result` is found, missed, undelivered, no_scan, not_tested or away.";

const STATUS_HELP: &str = "\
With --output json each line is an object whose `kind` is `node`. Its fields are those of picket.v1.Node, in \
snake_case. `status` is null when the node has not reported yet.";
