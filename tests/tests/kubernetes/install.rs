//! Picket on the cluster, as its README says.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;
use tests::{Cluster, Finished, Image, binary, run, wait_for};

use crate::pods::{Pod, Story};

pub(crate) const PICKET: &str = "picket";
pub(crate) const AGENTS: &str = "picket-agents";
pub(crate) const AGENT: &str = "daemonset/picket-agent";
pub(crate) const COLLECTOR: &str = "deployment/picket-collector";
const SERVER: &str = "picket-collector.picket.svc";
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/chart/picket");
/// On each node.
const CERTIFICATES: &str = "/var/lib/picket-certificates";
const LIMIT: Duration = Duration::from_secs(60);
/// It waits half a minute itself.
const TEST: Duration = Duration::from_secs(150);

pub(crate) struct Install<'a> {
    cluster: &'a Cluster,
    /// Of the authority.
    pki: PathBuf,
}

impl<'a> Install<'a> {
    /// Brings the images to the nodes, and makes certificates and secrets.
    pub(crate) fn prepare(cluster: &'a Cluster) -> Result<Self> {
        let images = [
            ("picket-agent:0.1.0", &["picket-agent"][..], "0:0"),
            (
                "picket-collector:0.1.0",
                &["picket-collector", "picket"],
                "65532:65532",
            ),
        ];
        for (name, programs, user) in images {
            let programs: Vec<_> = programs
                .iter()
                .map(|it| binary(it))
                .collect::<Result<_>>()?;
            cluster.import(&Image::of_programs(name, &programs, user)?)?;
        }
        let install = Self {
            cluster,
            pki: cluster.directory().join("picket-pki"),
        };
        install.certify()?;
        Ok(install)
    }

    /// As shipped: agents show tokens of their service account.
    pub(crate) fn with_tokens(&self) -> Result<()> {
        self.helm(&["install", "picket", CHART], &[])?;
        self.cluster.name_services()
    }

    /// Agents show certificates instead, which lie on their nodes.
    pub(crate) fn with_certificates(&self) -> Result<()> {
        self.upgrade("")
    }

    /// Changes values of the chart beside that.
    pub(crate) fn upgrade(&self, values: &str) -> Result<()> {
        let folder = format!("agent.paths.certificates={CERTIFICATES}");
        let file = self.cluster.directory().join("values.yaml");
        fs::write(&file, values)?;
        let file = file.to_string_lossy();
        let changed = ["--values", &*file, "--set", &folder];
        self.helm(&["upgrade", "picket", CHART], &changed)
    }

    /// Where the certificates are.
    pub(crate) fn pki(&self) -> PathBuf {
        self.pki.clone()
    }

    /// `helm test`.
    pub(crate) fn test(&self) -> Result<()> {
        let mut helm = self.cluster.helm()?;
        helm.args(["test", "picket", "--namespace", PICKET, "--logs"]);
        let tested = run("helm test", &mut helm, TEST).and_then(Finished::success);
        tested
            .map(drop)
            .map_err(|error| anyhow!("{error:#}{}", self.cluster.story(PICKET)))
    }

    fn helm(&self, arguments: &[&str], further: &[&str]) -> Result<()> {
        let mut helm = self.cluster.helm()?;
        let values = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubernetes/values.yaml");
        helm.args(arguments)
            .args(["--namespace", PICKET, "--values", values])
            .args(further);
        run("helm", &mut helm, LIMIT)?.success()?;
        Ok(())
    }

    /// Waits until the log of an agent has `text`.
    pub(crate) fn wait_until_an_agent_says(&self, text: &str) -> Result<()> {
        let said = || self.cluster.logs(AGENTS, AGENT);
        wait_for(&format!("an agent to say {text:?}"), LIMIT, || {
            Ok(said().is_ok_and(|said| said.contains(text)).then_some(()))
        })
        .map_err(|error| self.told(&error))
    }

    /// Waits until the collector hears of a slot for the pods of the story.
    pub(crate) fn wait_until_watched(&self, story: &Story) -> Result<()> {
        let expected = [("n1", 2), ("n2", 1)];
        ensure!(
            story.app1.node == "n1",
            "app1 is not where its manifest says"
        );
        wait_for("the pods to be watched", LIMIT, || {
            let status = ["/picket", "status", "--json"];
            let told = self.cluster.exec(PICKET, COLLECTOR, &status, LIMIT)?.stdout;
            let watched = |name: &str, least: usize| {
                told.lines().any(|line| {
                    let node: Value = serde_json::from_str(line).unwrap_or_default();
                    let slots = node.pointer("/status/slots").or_else(|| node.get("slots"));
                    node["name"] == name
                        && slots
                            .and_then(Value::as_array)
                            .is_some_and(|it| it.len() >= least)
                })
            };
            Ok(expected
                .iter()
                .all(|(name, least)| watched(name, *least))
                .then_some(()))
        })
        .map_err(|error| self.told(&error))
    }

    /// Waits until the agent of its node says that the pod is watched.
    pub(crate) fn wait_until_covered(&self, pod: &Pod) -> Result<()> {
        wait_for(&format!("{pod:?} to be watched"), LIMIT, || {
            let status = ["/picket", "status", "--json"];
            let told = self.cluster.exec(PICKET, COLLECTOR, &status, LIMIT)?.stdout;
            let is_watched = told.lines().any(|line| {
                let node: Value = serde_json::from_str(line).unwrap_or_default();
                let slots = node["status"]["slots"].as_array().into_iter().flatten();
                let mut slots = slots.filter(|it| it["namespace"] == *pod.namespace);
                slots.any(|it| it["pod"] == *pod.name)
            });
            Ok(is_watched.then_some(()))
        })
        .map_err(|error| self.told(&error))
    }

    fn told(&self, error: &anyhow::Error) -> anyhow::Error {
        let stories = [PICKET, AGENTS].map(|it| self.cluster.story(it));
        anyhow!("{error:#}{}", stories.concat())
    }

    fn certify(&self) -> Result<()> {
        let picket = |arguments: &[&str]| {
            let mut command = Command::new(binary("picket")?);
            let (subcommand, rest) = arguments
                .split_first()
                .context("no command of `picket certs`")?;
            command
                .arg("certs")
                .arg(subcommand)
                .arg(&self.pki)
                .args(rest);
            run("picket certs", &mut command, LIMIT)?.success()
        };
        picket(&["init"])?;
        // And as who forwards its port names it.
        picket(&["server", SERVER, "localhost"])?;
        picket(&["operator", "anna"])?;
        picket(&["subscriber", "viewer"])?;
        for (node, root) in self.cluster.nodes() {
            picket(&["node", node])?;
            let folder = root.join(CERTIFICATES.trim_start_matches('/'));
            fs::create_dir(&folder)?;
            for name in [format!("node-{node}.crt"), format!("node-{node}.key")] {
                fs::copy(self.pki.join(&name), folder.join(&name))?;
            }
        }
        let from =
            |key: &str, name: &str| format!("--from-file={key}={}", self.pki.join(name).display());
        let kubectl = |arguments: &[&str]| {
            self.cluster
                .ask(&[&["--namespace", PICKET], arguments].concat())
        };
        for namespace in [PICKET, AGENTS] {
            self.cluster.ask(&["create", "namespace", namespace])?;
        }
        kubectl(&[
            "create",
            "secret",
            "generic",
            "picket-collector-tls",
            &from("tls.crt", &format!("server-{SERVER}.crt")),
            &from("tls.key", &format!("server-{SERVER}.key")),
            &from("ca.crt", "ca.crt"),
            &from("ca.crl", "ca.crl"),
        ])?;
        self.cluster.ask(&[
            "--namespace",
            AGENTS,
            "create",
            "configmap",
            "picket-ca",
            &from("ca.crt", "ca.crt"),
        ])?;
        self.cluster.ask(&[
            "--namespace",
            AGENTS,
            "create",
            "configmap",
            "picket-operators",
            &from("ca.crt", "ca.crt"),
            &from("ca.crl", "ca.crl"),
        ])?;
        Ok(())
    }
}
