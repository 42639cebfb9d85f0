//! A node: a network namespace that forwards between its pods.

use std::{collections::BTreeMap, net::IpAddr};

use anyhow::{Context, Result};

use crate::{namespace::Namespace, pod::Pod};

/// Host side of every routed pod, as Calico names it to all of them.
const GATEWAY_MAC: &str = "ee:ee:ee:ee:ee:ee";
const GATEWAY_V4: &str = "169.254.1.1";
/// The link-local address that [`GATEWAY_MAC`] makes.
const GATEWAY_V6: &str = "fe80::ecee:eeff:feee:eeee";

/// A node of the cluster.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its own network.
    pub network: Namespace,
}

impl Node {
    /// Makes one without pods.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new(name: &str) -> Result<Self> {
        let network = Namespace::new()?;
        network.write_sysctl("net/ipv4/ip_forward", "1")?;
        network.write_sysctl("net/ipv6/conf/all/forwarding", "1")?;
        Ok(Self {
            name: name.into(),
            network,
        })
    }

    /// Adds pod `namespace`/`name` as Calico does: a host route to each of its addresses, and a
    /// link-local gateway that is no address of anyone.
    ///
    /// # Errors
    /// When an address is malformed, or the kernel refuses.
    pub fn routed(&self, namespace: &str, name: &str, addresses: &[&str]) -> Result<Pod> {
        let pod = self.connected(namespace, name, addresses)?;
        let interface = &pod.interface;
        let mut host = format!("link set {interface} up\n");
        let mut inside = String::from("link set eth0 up\n");
        for address in &pod.addresses {
            let (bits, gateway, onlink) = match address {
                IpAddr::V4(_) => (32, GATEWAY_V4, "onlink"),
                IpAddr::V6(_) => (128, GATEWAY_V6, ""),
            };
            host += &format!("route add {address}/{bits} dev {interface}\n");
            inside += &format!(
                "addr add {address}/{bits} dev eth0\n\
                 neigh replace {gateway} lladdr {GATEWAY_MAC} dev eth0 nud permanent\n\
                 route replace default via {gateway} dev eth0 {onlink}\n"
            );
        }
        self.network.ip(&host)?;
        pod.network.ip(&inside)?;
        Ok(pod)
    }

    /// Adds a bridge that [`Node::bridged`] pods join, with `gateway` (`ADDRESS/BITS`) as its own.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn bridge(&self, gateway: &str) -> Result<()> {
        self.network.ip(&format!(
            "link add cni0 type bridge\nlink set cni0 up\naddr add {gateway} dev cni0\n"
        ))
    }

    /// Adds pod `namespace`/`name` with one `address` (`ADDRESS/BITS`) to the node's bridge.
    ///
    /// # Errors
    /// When there is no bridge, the address is malformed, or the kernel refuses.
    pub fn bridged(&self, namespace: &str, name: &str, address: &str) -> Result<Pod> {
        let (bare, _) = address.split_once('/').context("ADDRESS/BITS is needed")?;
        let pod = self.connected(namespace, name, &[bare])?;
        let interface = &pod.interface;
        self.network.ip(&format!(
            "link set {interface} master cni0\nlink set {interface} up\n"
        ))?;
        pod.network
            .ip(&format!("link set eth0 up\naddr add {address} dev eth0\n"))?;
        Ok(pod)
    }

    fn connected(&self, namespace: &str, name: &str, addresses: &[&str]) -> Result<Pod> {
        let addresses = addresses.iter().map(|address| {
            let parsed = address.parse::<IpAddr>();
            parsed.with_context(|| format!("{address:?} is no address"))
        });
        let pod = Pod {
            namespace: namespace.into(),
            name: name.into(),
            uid: format!("uid-{name}"),
            labels: BTreeMap::new(),
            node: self.name.clone(),
            addresses: addresses.collect::<Result<_>>()?,
            interface: format!("cali-{name}"),
            network: Namespace::new()?,
        };
        self.network.ip(&format!(
            "link add {} address {GATEWAY_MAC} type veth peer name eth0 netns {}\n",
            pod.interface,
            pod.network.path().display()
        ))?;
        Ok(pod)
    }
}
