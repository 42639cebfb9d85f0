//! All that watches a node: the real collector and the real agent, in one directory.

mod daemon;

use std::{
    ffi::OsStr,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use agent::{boot, identity::Memory};
use anyhow::{Context as _, Result, anyhow};
use api::v1::Node as Status;
use rustix::process::Signal;
use tempfile::TempDir;

use self::daemon::{END_LIMIT, LIMIT, answers, stop, without_settings};
use crate::{
    binaries::binary,
    bpffs::Bpffs,
    client::Client,
    deadline::wait_for,
    exposition::scrape,
    namespace::Namespace,
    node::Node,
    pod::Pod,
    pod_table::pod_table,
    process::{Process, guarded},
};

/// Where the collector runs.
#[derive(Debug)]
pub enum Place {
    /// In a namespace of its own, where all ports are free.
    Apart,
    /// On this host, with gRPC and HTTP on these addresses besides the socket.
    Host {
        /// gRPC.
        listen: SocketAddr,
        /// HTTP.
        metrics: SocketAddr,
        /// The page, if it is served.
        page: Option<SocketAddr>,
    },
}

/// A collector and an agent that speak over Unix sockets, which network namespaces do not divide.
#[derive(Debug)]
pub struct Watch {
    /// The agent, while it runs.
    pub agent: Option<Process>,
    /// The collector, while it runs.
    pub collector: Option<Process>,
    node: String,
    network: Namespace,
    place: Place,
    apart: Namespace,
    /// Where the agent pins; nowhere without.
    bpffs: Option<Bpffs>,
    directory: TempDir,
}

impl Watch {
    /// Starts both with `agent_config` (YAML) as the agent's configuration, and waits until the veth
    /// of each of `pods` is watched.
    ///
    /// # Errors
    /// When one of them does not start; with what it said.
    pub fn start(node: &Node, pods: &[&Pod], agent_config: &str, place: Place) -> Result<Self> {
        Self::begin(node, pods, agent_config, place, None, None)
    }

    /// The same, with an agent that pins what it attaches, and goes on from there when it is started
    /// again.
    ///
    /// # Errors
    /// When one of them does not start; with what it said.
    pub fn pinned(node: &Node, pods: &[&Pod], agent_config: &str) -> Result<Self> {
        let bpffs = Some(Bpffs::new()?);
        Self::begin(node, pods, agent_config, Place::Apart, bpffs, None)
    }

    /// The same, with a collector that learns who is who from the API server of this host that the kubeconfig
    /// names.
    ///
    /// # Errors
    /// When one of them does not start; with what it said.
    pub fn of_cluster(
        node: &Node,
        pods: &[&Pod],
        agent_config: &str,
        kubeconfig: &Path,
    ) -> Result<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let place = Place::Host {
            listen: any,
            metrics: any,
            page: None,
        };
        let bpffs = Some(Bpffs::new()?);
        Self::begin(node, pods, agent_config, place, bpffs, Some(kubeconfig))
    }

    fn begin(
        node: &Node,
        pods: &[&Pod],
        agent_config: &str,
        place: Place,
        bpffs: Option<Bpffs>,
        kubeconfig: Option<&Path>,
    ) -> Result<Self> {
        let mut watch = Self {
            agent: None,
            collector: None,
            node: node.name.clone(),
            network: node.network.try_clone()?,
            place,
            apart: Namespace::new()?,
            bpffs,
            directory: tempfile::tempdir()?,
        };
        match kubeconfig {
            Some(kubeconfig) => fs::copy(kubeconfig, watch.path("kubeconfig")).map(drop)?,
            None => fs::write(watch.path("pods.yaml"), pod_table(pods))?,
        }
        fs::write(watch.path("agent.yaml"), agent_config)?;
        watch.start_collector()?;
        watch.start_agent()?;
        watch.wait_until_watched(pods)?;
        Ok(watch)
    }

    /// Starts the collector on its database, and waits until it answers.
    ///
    /// # Errors
    /// When it does not; with what it said.
    pub fn start_collector(&mut self) -> Result<()> {
        let program = binary("picket-collector")?;
        let mut command = match self.place {
            Place::Apart => self.apart.command(program),
            Place::Host {
                listen,
                metrics,
                page,
            } => {
                let page = page.map_or_else(|| "none".to_owned(), |it| it.to_string());
                let mut command = guarded(program);
                command.args(["--listen", &listen.to_string()]);
                command.args(["--metrics", &metrics.to_string(), "--page", &page]);
                command
            }
        };
        command.args(["--listen", &self.collector_address()]);
        command.arg("--database").arg(self.path("picket.db"));
        if self.path("kubeconfig").exists() {
            command.arg("--kubeconfig").arg(self.path("kubeconfig"));
        } else {
            command.arg("--pod-table").arg(self.path("pods.yaml"));
        }
        if self.path("detectors.yaml").exists() {
            command.arg("--detectors").arg(self.path("detectors.yaml"));
        }
        without_settings(&mut command);
        let collector = self
            .collector
            .insert(Process::spawn("picket-collector", &mut command)?);
        answers(collector, &self.directory.path().join("collector.sock"))
    }

    /// Starts the agent on the node, and waits until it answers.
    ///
    /// # Errors
    /// When it does not; with what it said.
    pub fn start_agent(&mut self) -> Result<()> {
        let mut command = self.agent_command()?;
        command.args(["--node", &self.node]);
        command.args(["--collector", &self.collector_address()]);
        command.arg("--spool").arg(self.path("spool"));
        command.args(["--listen", &self.agent_address()]);
        command.arg("--config").arg(self.path("agent.yaml"));
        if !fs::read_to_string(self.path("agent.yaml"))?.contains("canary:") {
            // Whoever counts interfaces or programs counts those of pods.
            command.args(["--canary", "off"]);
        }
        command.arg("--policy").arg(self.path("policy.json"));
        command.arg("--identity").arg(self.path("identity"));
        let agent = self
            .agent
            .insert(Process::spawn("picket-agent", &mut command)?);
        answers(agent, &self.directory.path().join("agent.sock"))
    }

    /// `picket-agent` on the node, with its pins or told to pin nothing.
    ///
    /// # Errors
    /// When it has not been built.
    pub fn agent_command(&self) -> Result<Command> {
        let agent = binary("picket-agent")?;
        let mut command = match &self.bpffs {
            Some(bpffs) => bpffs.command(&self.network, agent),
            None => {
                let mut command = self.network.command(agent);
                command.args(["--pin", "none"]);
                command
            }
        };
        without_settings(&mut command);
        Ok(command)
    }

    /// Gives the agent another configuration, for its next start.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure_agent(&self, yaml: &str) -> Result<()> {
        Ok(fs::write(self.path("agent.yaml"), yaml)?)
    }

    /// Gives the collector a policy for all agents: one that has one follows it, others from their next start.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure_all(&self, yaml: &str) -> Result<()> {
        Ok(fs::write(self.path("detectors.yaml"), yaml)?)
    }

    /// What the agent has pinned.
    ///
    /// # Errors
    /// When that cannot be listed, or it pins nowhere.
    pub fn pins(&self) -> Result<Vec<String>> {
        self.bpffs().and_then(Bpffs::pins)
    }

    /// The file system that the agent pins to.
    ///
    /// # Errors
    /// When it pins nowhere.
    pub fn bpffs(&self) -> Result<&Bpffs> {
        self.bpffs.as_ref().context("this agent pins nothing")
    }

    /// Stops the collector, if it runs.
    ///
    /// # Errors
    /// When it does not end when asked, or ends badly.
    pub fn stop_collector(&mut self) -> Result<()> {
        stop(self.collector.take())
    }

    /// Kills the agent, so that it cannot tidy up.
    ///
    /// # Errors
    /// When it does not run, or does not end.
    pub fn kill_agent(&mut self) -> Result<()> {
        let mut agent = self.agent.take().context("no agent runs")?;
        agent.signal(Signal::KILL)?;
        agent.wait(END_LIMIT).map(drop)
    }

    /// Stops the agent, if it runs.
    ///
    /// # Errors
    /// When it does not end when asked, or ends badly.
    pub fn stop_agent(&mut self) -> Result<()> {
        stop(self.agent.take())
    }

    /// Waits until the agent's spool has an event on the disk.
    ///
    /// # Errors
    /// When none gets there.
    pub fn wait_until_spooled(&self) -> Result<()> {
        let spool = self.path("spool");
        wait_for("an event in the spool", LIMIT, || {
            for file in fs::read_dir(&spool)? {
                let file = file?;
                // Beside these two there are only segments.
                let is_segment = file.file_name() != "lock" && file.file_name() != "ledger";
                if is_segment && file.metadata()?.len() > 0 {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
    }

    /// Waits until the collector hears of a slot for each of `pods`.
    ///
    /// # Errors
    /// When it does not; with what the daemons said.
    pub fn wait_until_watched(&self, pods: &[&Pod]) -> Result<()> {
        self.wait_until_told(&self.client()?, pods)
    }

    /// Waits until the agent itself has a slot for each of `pods`.
    ///
    /// # Errors
    /// When it does not; with what the daemons said.
    pub fn wait_until_attached(&self, pods: &[&Pod]) -> Result<()> {
        let agent = Client::connect(&self.agent_address(), LIMIT)?;
        self.wait_until_told(&agent, pods)
    }

    fn wait_until_told(&self, client: &Client, pods: &[&Pod]) -> Result<()> {
        let watched = |status: &Status| {
            let slots = status.status.iter().flat_map(|status| &status.slots);
            let names: Vec<_> = slots.map(|slot| slot.interface.as_str()).collect();
            status.connected
                && status.name == self.node
                && pods
                    .iter()
                    .all(|pod| names.contains(&pod.interface.as_str()))
        };
        wait_for("every pod to be watched", LIMIT, || {
            Ok(client.nodes()?.iter().any(watched).then_some(()))
        })
        .map_err(|error| anyhow!("{error:#}{}", self.log()))
    }

    /// Waits until the agent has written down which interface is whose, for each of `pods`.
    ///
    /// # Errors
    /// When it does not; with what the daemons said.
    pub fn wait_until_remembered(&self, pods: &[&Pod]) -> Result<()> {
        let memory = Memory::at(self.path("identity"), boot::id());
        wait_for("every pod to be remembered", LIMIT, || {
            let known = memory.read()?.interfaces;
            let is_bound = |pod: &&Pod| {
                let mut known = known.iter().filter(|it| it.name == pod.interface);
                known.any(|it| it.pod.is_some())
            };
            Ok(pods.iter().all(is_bound).then_some(()))
        })
        .map_err(|error| anyhow!("{error:#}{}", self.log()))
    }

    /// Takes from the agent what it has written down, for its next start.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be removed.
    pub fn forget_pods(&self) -> Result<()> {
        Ok(fs::remove_file(self.path("identity"))?)
    }

    /// A client of the agent.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn agent_client(&self) -> Result<Client> {
        Client::connect(&self.agent_address(), LIMIT)
    }

    /// A client of the collector.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn client(&self) -> Result<Client> {
        Client::connect(&self.collector_address(), LIMIT)
    }

    /// The collector's address, for agents and clients.
    #[must_use]
    pub fn collector_address(&self) -> String {
        format!("unix:{}", self.path("collector.sock").display())
    }

    /// The agent's address, for clients.
    #[must_use]
    pub fn agent_address(&self) -> String {
        format!("unix:{}", self.path("agent.sock").display())
    }

    /// What the agent and the collector serve at `/metrics`, which must not run on this host.
    ///
    /// # Errors
    /// When one of them does not.
    pub fn metrics(&self) -> Result<[String; 2]> {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Ok([
            scrape(&self.network, at(7403))?,
            scrape(&self.apart, at(7402))?,
        ])
    }

    /// Runs `program` where a collector that is apart has all its ports on loopback.
    #[must_use]
    pub fn beside_collector(&self, program: impl AsRef<OsStr>) -> Command {
        self.apart.command(program)
    }

    /// The `picket` command line, asking the collector.
    ///
    /// # Errors
    /// When it has not been built.
    pub fn picket(&self) -> Result<Command> {
        let mut command = guarded(binary("picket")?);
        without_settings(&mut command);
        command.args(["--server", &self.collector_address()]);
        Ok(command)
    }

    /// The last lines of both daemons, for an error message.
    #[must_use]
    pub fn log(&self) -> String {
        let daemons = self.collector.iter().chain(&self.agent);
        daemons.map(Process::log).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Whoever does not end when asked is killed by its guard.
        self.stop_agent().ok();
        self.stop_collector().ok();
    }
}
