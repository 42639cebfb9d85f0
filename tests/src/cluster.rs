//! A real Kubernetes: a control plane and nodes, each of which has namespaces of its own, so that nothing of it
//! outlives this process.

mod addresses;
mod cgroups;
mod control;
mod image;
mod kubeconfig;
mod machine;
mod names;
mod programs;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;
use tempfile::TempDir;

pub use self::image::Image;
use self::{control::Control, machine::Machine, names::Names, programs::program};
use crate::{
    deadline::wait_for,
    namespace::Namespace,
    process::{Finished, run},
};

/// How long a command of a client may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    // In the order in which they end.
    machines: Vec<Machine>,
    names: Names,
    control: Control,
    network: Namespace,
    directory: TempDir,
}

impl Cluster {
    /// Starts one with nodes `n1`, `n2` and so on, and waits until they are ready.
    ///
    /// # Errors
    /// When a program is missing or does not start; with what it said.
    pub fn up(nodes: u8, limit: Duration) -> Result<Self> {
        cgroups::sweep();
        let directory = tempfile::Builder::new().prefix("cluster").tempdir()?;
        let network = Namespace::new()?;
        network.write_sysctl("net/ipv4/ip_forward", "1")?;
        network.ip(&format!(
            "link add nodes type bridge\nlink set nodes up\naddr add {}/24 dev nodes\n",
            addresses::CONTROL
        ))?;
        let control = Control::start(&network, directory.path(), nodes, limit)?;
        let names = Names::start(&network, directory.path(), addresses::CONTROL)?;
        let pause = Image::lab()?;
        let mut cluster = Self {
            machines: Vec::new(),
            names,
            control,
            network,
            directory,
        };
        for index in 1..=nodes {
            let machine = Machine::start(&cluster.network, cluster.directory.path(), index)?;
            cluster.machines.push(machine);
        }
        for machine in &mut cluster.machines {
            machine.wait_until_containers_run(limit)?;
        }
        cluster.import(&pause)?;
        for machine in &mut cluster.machines {
            machine.join(cluster.directory.path())?;
        }
        cluster.wait_until_ready(usize::from(nodes), limit)?;
        Ok(cluster)
    }

    /// Puts an image on every node.
    ///
    /// # Errors
    /// When a node does not take it.
    pub fn import(&self, image: &Image) -> Result<()> {
        let imports: Vec<_> = self
            .machines
            .iter()
            .map(|machine| machine.import(image))
            .collect::<Result<_>>()?;
        for mut import in imports {
            let status = import.wait(LIMIT)?;
            ensure!(status.success(), "an image is refused{}", import.log());
        }
        Ok(())
    }

    /// The names of the nodes, and where the files of each are found.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        let nodes = self.machines.iter();
        nodes.map(|machine| (machine.name(), machine.root()))
    }

    /// `kubectl`, as the cluster's administrator.
    ///
    /// # Errors
    /// When it is not there.
    pub fn kubectl(&self) -> Result<Command> {
        self.client("kubectl")
    }

    /// `helm`, as the cluster's administrator.
    ///
    /// # Errors
    /// When it is not there.
    pub fn helm(&self) -> Result<Command> {
        self.client("helm")
    }

    /// A command where `kubectl` runs, which forwards ports to there.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.network.command(program)
    }

    fn client(&self, name: &str) -> Result<Command> {
        let mut command = self.command(program(name)?);
        // Both keep caches and settings at home.
        for (variable, _) in std::env::vars_os() {
            let variable = variable.to_string_lossy();
            if ["KUBE", "HELM_", "XDG_"]
                .iter()
                .any(|it| variable.starts_with(it))
            {
                command.env_remove(&*variable);
            }
        }
        command.env("HOME", self.directory.path()).env(
            "KUBECONFIG",
            kubeconfig::path(self.directory.path(), kubeconfig::ADMIN),
        );
        Ok(command)
    }

    /// Runs `kubectl` with `arguments`, and returns what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn ask(&self, arguments: &[&str]) -> Result<String> {
        let finished = run("kubectl", self.kubectl()?.args(arguments), LIMIT)?;
        Ok(finished.success()?.stdout)
    }

    /// Runs `kubectl` with `arguments`, and returns the objects that it printed as JSON.
    ///
    /// # Errors
    /// When it fails, or prints something else.
    pub fn objects(&self, arguments: &[&str]) -> Result<Value> {
        let printed = self.ask(&[arguments, &["--output=json"]].concat())?;
        serde_json::from_str(&printed).context("kubectl prints no JSON")
    }

    /// Applies manifests.
    ///
    /// # Errors
    /// When the API server refuses one.
    pub fn apply(&self, manifests: &str) -> Result<()> {
        let file = tempfile::NamedTempFile::new_in(self.directory.path())?;
        fs::write(&file, manifests)?;
        self.ask(&["apply", "--filename", &file.path().to_string_lossy()])?;
        self.name_services()
    }

    /// Lets pods find the Services that there are now by name.
    ///
    /// # Errors
    /// When the API server does not tell them.
    pub fn name_services(&self) -> Result<()> {
        self.names
            .publish(&self.objects(&["get", "services", "--all-namespaces"])?)
    }

    /// Runs `command` in a pod, and returns what it printed, whatever its exit code.
    ///
    /// # Errors
    /// When it does not end within `limit`.
    pub fn exec(
        &self,
        namespace: &str,
        pod: &str,
        command: &[&str],
        limit: Duration,
    ) -> Result<Finished> {
        let mut kubectl = self.kubectl()?;
        kubectl
            .args(["--namespace", namespace, "exec", pod, "--"])
            .args(command);
        run(&command.join(" "), &mut kubectl, limit)
    }

    /// Waits until the rollout of `what` (`daemonset/picket-agent`) is complete.
    ///
    /// # Errors
    /// When it is not within `limit`; with what its pods say.
    pub fn wait_for_rollout(&self, namespace: &str, what: &str, limit: Duration) -> Result<()> {
        let mut kubectl = self.kubectl()?;
        kubectl.args(["--namespace", namespace, "rollout", "status", what]);
        let rolled = run("kubectl rollout", &mut kubectl, limit).and_then(Finished::success);
        rolled
            .map(drop)
            .map_err(|error| anyhow!("{error:#}{}", self.story(namespace)))
    }

    /// Waits until all pods of `namespace` are ready.
    ///
    /// # Errors
    /// When they are not within `limit`; with what they say.
    pub fn wait_for_pods(&self, namespace: &str, limit: Duration) -> Result<()> {
        let seconds = format!("--timeout={}s", limit.as_secs());
        let mut kubectl = self.kubectl()?;
        kubectl.args(["--namespace", namespace, "wait", "pods", "--all"]);
        kubectl.args(["--for=condition=Ready", &seconds]);
        let waited = run("kubectl wait", &mut kubectl, limit + LIMIT).and_then(Finished::success);
        waited
            .map(drop)
            .map_err(|error| anyhow!("{error:#}{}", self.story(namespace)))
    }

    /// What happened to the pods of `namespace`, and what they said, for an error message.
    #[must_use]
    pub fn story(&self, namespace: &str) -> String {
        let mut story = String::new();
        let told = [
            &["get", "pods", "--output=wide"][..],
            &[
                "get",
                "events",
                "--output=custom-columns=:.involvedObject.name,:.message",
            ],
        ];
        for arguments in told {
            let said = self.ask(&[&["--namespace", namespace], arguments].concat());
            story += &format!("\n{}", said.unwrap_or_else(|error| format!("{error:#}")));
        }
        let pods = self.ask(&["--namespace", namespace, "get", "pods", "--output=name"]);
        for pod in pods.unwrap_or_default().lines() {
            let logs = self.logs(namespace, pod);
            story += &format!(
                "\n{pod}:\n{}",
                logs.unwrap_or_else(|error| format!("{error:#}"))
            );
        }
        story
    }

    /// The last lines of what the containers of a pod said.
    ///
    /// # Errors
    /// When its kubelet does not tell.
    pub fn logs(&self, namespace: &str, pod: &str) -> Result<String> {
        self.ask(&[
            "--namespace",
            namespace,
            "logs",
            "--all-containers",
            "--tail=40",
            pod,
        ])
    }

    /// A folder that goes with the cluster.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn wait_until_ready(&mut self, nodes: usize, limit: Duration) -> Result<()> {
        let path = "--output=jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}";
        let ready = wait_for("the nodes to be ready", limit, || {
            for machine in &mut self.machines {
                machine.ensure_running()?;
            }
            let mut kubectl = self.client("kubectl")?;
            let printed = run("kubectl", kubectl.args(["get", "nodes", path]), LIMIT)?.stdout;
            let ready = printed
                .split_whitespace()
                .filter(|it| *it == "True")
                .count();
            Ok((ready == nodes).then_some(()))
        });
        let log = |machine: &Machine| machine.log();
        ready.map_err(|error| {
            let said: String = self.machines.iter().map(log).collect();
            anyhow!("{error:#}{said}{}", self.control.log())
        })
    }
}
