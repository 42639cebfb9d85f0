//! A pod: a network namespace that a veth joins to its node.

use std::{collections::BTreeMap, fmt, net::IpAddr, process::Command};

use anyhow::Result;

use crate::{namespace::Namespace, server::Server};

/// A pod of the cluster.
#[derive(Debug)]
pub struct Pod {
    /// Its Kubernetes namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The name of its node.
    pub node: String,
    /// Its addresses, the first of which is `address()`.
    pub addresses: Vec<IpAddr>,
    /// The host side of its veth.
    pub interface: String,
    /// Its own network, with `eth0`.
    pub network: Namespace,
}

impl Pod {
    /// Its first address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.addresses[0]
    }

    /// A command that runs `program` in the pod.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        self.network.command(program)
    }

    /// Serves `ports` on every address of the pod.
    ///
    /// # Errors
    /// When a port is taken.
    pub fn serve(&self, ports: &[u16]) -> Result<Server> {
        Server::start(&self.network, ports)
    }
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespace, name, ..
        } = self;
        write!(f, "{namespace}/{name} ({})", self.address())
    }
}
