//! The control plane: etcd, the API server, the controllers and the scheduler, in a network of their own.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Result, anyhow, ensure};
use api::certificates::{AUTHORITY_DAYS, Authority, Purpose};

use super::{
    addresses,
    kubeconfig::{self, ADMIN, CONTROLLERS, SCHEDULER},
    machine,
    programs::program,
};
use crate::{
    deadline::wait_for,
    namespace::Namespace,
    process::{Process, run},
};

const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Control {
    processes: Vec<Process>,
}

impl Control {
    pub(super) fn start(
        network: &Namespace,
        directory: &Path,
        nodes: u8,
        limit: Duration,
    ) -> Result<Self> {
        let mut control = Self {
            processes: Vec::new(),
        };
        let mut start = |name: &str, program: PathBuf, flags: &[(&str, &str)]| -> Result<()> {
            let mut command = network.command(program);
            command.current_dir(directory).args(
                flags
                    .iter()
                    .map(|(flag, value)| format!("--{flag}={value}")),
            );
            control.processes.push(Process::spawn(name, &mut command)?);
            Ok(())
        };
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let etcd = path(directory.join("etcd"));
        start(
            "etcd",
            "etcd".into(),
            &[
                ("data-dir", &*etcd),
                ("logger", "zap"),
                ("log-level", "warn"),
            ],
        )?;

        let own = addresses::CONTROL.to_string();
        let authority = Authority::create(&directory.join("pki"), AUTHORITY_DAYS, now())?;
        let names = [&own, addresses::API_SERVICE, "kubernetes.default.svc"].map(str::to_owned);
        let served = authority.issue(Purpose::Server(&names), 1, now())?;
        let (ca, key) = (path(authority.certificate()), path(authority.key()));
        let tokens = kubeconfig::write(directory, (1..=nodes).map(machine::name))?;
        start(
            "kube-apiserver",
            program("kube-apiserver")?,
            &[
                ("etcd-servers", "http://127.0.0.1:2379"),
                ("bind-address", &own),
                ("advertise-address", &own),
                ("tls-cert-file", &path(served.certificate)),
                ("tls-private-key-file", &path(served.key)),
                ("token-auth-file", &path(tokens)),
                ("authorization-mode", "Node,RBAC"),
                ("allow-privileged", "true"),
                ("service-account-key-file", &ca),
                ("service-account-signing-key-file", &key),
                ("service-account-issuer", "https://kubernetes.default.svc"),
                ("service-cluster-ip-range", addresses::SERVICES),
                ("kubelet-preferred-address-types", "InternalIP"),
            ],
        )?;
        let config = |user| path(kubeconfig::path(directory, user));
        // Both try again until the API server answers.
        start(
            "kube-controller-manager",
            program("kube-controller-manager")?,
            &[
                ("kubeconfig", &config(CONTROLLERS)),
                ("root-ca-file", &ca),
                ("service-account-private-key-file", &key),
                ("cert-dir", &etcd),
                ("leader-elect", "false"),
                (
                    "controllers",
                    "*,-nodeipam,-cloud-node-lifecycle,-route,-service",
                ),
            ],
        )?;
        start(
            "kube-scheduler",
            program("kube-scheduler")?,
            &[
                ("kubeconfig", &config(SCHEDULER)),
                ("cert-dir", &etcd),
                ("leader-elect", "false"),
            ],
        )?;
        control.wait_until_it_answers(network, directory, limit)?;
        Ok(control)
    }

    /// What they said last.
    pub(super) fn log(&self) -> String {
        self.processes.iter().map(Process::log).collect()
    }

    fn wait_until_it_answers(
        &mut self,
        network: &Namespace,
        directory: &Path,
        limit: Duration,
    ) -> Result<()> {
        let kubectl = program("kubectl")?;
        let answers = wait_for("the API server", limit, || {
            for process in &mut self.processes {
                ensure!(process.is_running()?, "a part of the control plane ended");
            }
            let mut command = network.command(&kubectl);
            command.args(["get", "--raw", "/readyz", "--kubeconfig"]);
            command.arg(kubeconfig::path(directory, ADMIN));
            let finished = run("kubectl", &mut command, LIMIT)?;
            Ok(finished.status.success().then_some(()))
        });
        answers.map_err(|error| anyhow!("{error:#}{}", self.log()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "certificates are good from now on"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
