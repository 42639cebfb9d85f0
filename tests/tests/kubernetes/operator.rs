//! Whoever commands from outside the cluster, over TLS and with a certificate.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tests::{Cluster, Finished, Process, binary, run};

use crate::install::PICKET;

const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Operator<'a> {
    cluster: &'a Cluster,
    /// Of the authority.
    pki: PathBuf,
    _forwarded: Process,
}

impl<'a> Operator<'a> {
    pub(crate) fn start(cluster: &'a Cluster, pki: PathBuf) -> Result<Self> {
        let mut kubectl = cluster.kubectl()?;
        kubectl.args([
            "--namespace",
            PICKET,
            "port-forward",
            "service/picket-collector",
            "7400",
        ]);
        let mut forwarded = Process::spawn("kubectl port-forward", &mut kubectl)?;
        forwarded.wait_for_line("Forwarding from 127.0.0.1", LIMIT)?;
        Ok(Self {
            cluster,
            pki,
            _forwarded: forwarded,
        })
    }

    /// `kubectl picket`, which finds the collector by itself, as who has this certificate.
    pub(crate) fn kubectl(&self, own: &str, arguments: &[&str]) -> Result<Finished> {
        let folder = tempfile::tempdir()?;
        symlink(binary("picket")?, folder.path().join("kubectl-picket"))?;
        let mut kubectl = self.cluster.kubectl()?;
        let beside = Path::new(kubectl.get_args().last().context("no kubectl")?).parent();
        let beside = beside.context("kubectl is in no folder")?.to_owned();
        let path = [
            folder.path(),
            &beside,
            Path::new("/usr/bin"),
            Path::new("/bin"),
        ];
        kubectl.env("PATH", std::env::join_paths(path)?);
        kubectl
            .args(["picket", "--tls-ca"])
            .arg(self.pki.join("ca.crt"));
        for (flag, ending) in [("--tls-cert", "crt"), ("--tls-key", "key")] {
            kubectl
                .arg(flag)
                .arg(self.pki.join(format!("{own}.{ending}")));
        }
        run("kubectl picket", kubectl.args(arguments), LIMIT)
    }

    /// `picket`, as who has this certificate (`operator-anna`).
    pub(crate) fn picket(&self, own: &str, arguments: &[&str]) -> Result<Finished> {
        let mut picket = self.cluster.command(binary("picket")?);
        picket
            .args(["--server", "https://localhost:7400", "--tls-ca"])
            .arg(self.pki.join("ca.crt"));
        for (flag, ending) in [("--tls-cert", "crt"), ("--tls-key", "key")] {
            picket
                .arg(flag)
                .arg(self.pki.join(format!("{own}.{ending}")));
        }
        run("picket", picket.args(arguments), LIMIT)
    }
}
