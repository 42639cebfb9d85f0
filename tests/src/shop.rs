//! A shop on one node: pods that talk to each other as a shop's do, and one that looks around.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};

use crate::{
    node::Node,
    pod::Pod,
    process::run,
    server::{Server, visit},
};

const LIMIT: Duration = Duration::from_secs(60);
/// Nobody has any of them.
const EMPTY: &str = "10.244.7.128/26";

/// Namespace, name, what stands for it in the name of an interface, and the port that it serves.
const PODS: [(&str, &str, &str, u16); 8] = [
    ("edge", "gateway-7c9d8b6f5-q4w2z", "gateway", 443),
    ("shop", "frontend-6d5f9c7b8-k2x9q", "frontend", 8080),
    ("shop", "cart-5b7c9d6f4-z8v7n", "cart", 8081),
    ("shop", "checkout-7f8d9c6b5-t5r4w", "checkout", 8082),
    ("data", "postgres-0", "postgres", 5432),
    ("data", "redis-0", "redis", 6379),
    ("monitoring", "prometheus-0", "prometheus", 9090),
    ("ci", "runner-hx7k2", "runner", 8022),
];
/// Who calls whom, by their places above.
const CALLS: [(usize, usize); 11] = [
    (0, 1),
    (1, 2),
    (1, 3),
    (2, 5),
    (3, 4),
    (3, 5),
    (6, 1),
    (6, 2),
    (6, 4),
    (6, 5),
    (7, 1),
];

/// The shop, while it is open.
#[derive(Debug)]
pub struct Shop {
    /// Where all pods are.
    pub node: Node,
    pods: Vec<Pod>,
    _servers: Vec<Server>,
}

impl Shop {
    /// Opens it on `node1`.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn open() -> Result<Self> {
        let node = Node::new("node1")?;
        let (mut pods, mut servers) = (Vec::new(), Vec::new());
        for (index, (namespace, name, short, port)) in PODS.into_iter().enumerate() {
            let address = format!("10.244.7.{}", 10 + index);
            let mut pod = node.routed(namespace, short, &[&address])?;
            name.clone_into(&mut pod.name);
            pod.labels.insert("app".into(), short.into());
            servers.push(pod.serve(&[port])?);
            pods.push(pod);
        }
        Ok(Self {
            node,
            pods,
            _servers: servers,
        })
    }

    /// Everybody who is there.
    #[must_use]
    pub fn pods(&self) -> Vec<&Pod> {
        self.pods.iter().collect()
    }

    /// The pod that stands for `app`, by its label.
    ///
    /// # Errors
    /// When there is none.
    pub fn pod(&self, app: &str) -> Result<&Pod> {
        let mut pods = self.pods.iter();
        let found = pods.find(|it| it.labels["app"] == app);
        found.with_context(|| format!("there is no {app} in the shop"))
    }

    /// Everybody calls whom he needs, once.
    ///
    /// # Errors
    /// When somebody does not answer.
    pub fn trade(&self) -> Result<()> {
        for (from, to) in CALLS {
            let (from, to, port) = (&self.pods[from], &self.pods[to], PODS[to].3);
            let address = SocketAddr::from((to.address(), port));
            let called = from.network.enter(|| visit(address))?;
            called.with_context(|| format!("{to} does not answer {from}"))?;
        }
        Ok(())
    }

    /// The runner of `ci` scans the database, and looks for others where nobody is.
    ///
    /// # Errors
    /// When nmap does not end well.
    pub fn look_around(&self) -> Result<()> {
        let runner = self.pod("runner")?;
        let database = self.pod("postgres")?.address().to_string();
        nmap(runner, &["-n", &database])?;
        nmap(runner, &["-n", "-sn", "-T5", EMPTY])
    }

    /// The cart does it too.
    ///
    /// # Errors
    /// When nmap does not end well.
    pub fn spread(&self) -> Result<()> {
        let redis = self.pod("redis")?.address().to_string();
        nmap(self.pod("cart")?, &["-n", "-Pn", "-p", "1-100", &redis])
    }
}

fn nmap(pod: &Pod, arguments: &[&str]) -> Result<()> {
    run("nmap", pod.command("nmap").args(arguments), LIMIT)?
        .success()
        .map(drop)
}
