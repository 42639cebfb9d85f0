//! The names of Services, for the pods that ask.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{namespace::Namespace, process::Process};

#[derive(Debug)]
pub(super) struct Names {
    folder: PathBuf,
    _server: Process,
}

impl Names {
    pub(super) fn start(network: &Namespace, directory: &Path, own: Ipv4Addr) -> Result<Self> {
        let folder = directory.join("names");
        fs::create_dir(&folder)?;
        let mut command = network.command("dnsmasq");
        command
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--pid-file=",
            ])
            .args([
                "--no-resolv",
                "--no-hosts",
                "--user=root",
                "--bind-interfaces",
            ])
            // A name that is none is answered so at once.
            .args(["--local=/./", "--log-facility=-"])
            .arg(format!("--listen-address={own}"))
            .arg(format!("--hostsdir={}", folder.display()));
        let server = Process::spawn("dnsmasq", &mut command)?;
        Ok(Self {
            folder,
            _server: server,
        })
    }

    /// Tells of `services`, as the API server lists them.
    pub(super) fn publish(&self, services: &Value) -> Result<()> {
        let mut hosts = String::new();
        for service in services["items"]
            .as_array()
            .context("no list of Services")?
        {
            let field = |pointer| service.pointer(pointer).and_then(Value::as_str);
            if let (Some(name), Some(namespace), Some(address)) = (
                field("/metadata/name"),
                field("/metadata/namespace"),
                field("/spec/clusterIP"),
            ) {
                hosts += &format!("{address} {name}.{namespace}.svc.cluster.local\n");
            }
        }
        // It reads a file as soon as it is there.
        let fresh = self.folder.with_extension("fresh");
        fs::write(&fresh, hosts)?;
        fs::rename(&fresh, self.folder.join("services"))?;
        Ok(())
    }
}
