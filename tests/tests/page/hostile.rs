//! Pods with names that no API server lets pass, but a file, or a collector that is not ours, may hold.

use std::net::{SocketAddr, UdpSocket};

use anyhow::{Context as _, Result};
use tests::{Node, Pod, run};

use crate::LIMIT;

const SCRIPT: &str = "<script>globalThis.hacked=1</script>";
const IMAGE: &str = "\"><img src=x onerror=globalThis.hacked=1>";
const ANSI: &str = "\u{1b}[31mred\u{1b}[0m\u{7}\u{1b}]0;owned\u{7}\r\n";
const REVERSED: &str = "blue\u{202e}eulb\u{2066}";
const HEBREW: &str = "שלום-\u{202e}gpj.exe";
/// As long as a name may be.
const LONGEST: usize = 253;

/// The pods, each of which attacks in a way of its own.
pub(crate) struct Hostile {
    pods: Vec<Pod>,
    asker: Pod,
}

impl Hostile {
    pub(crate) fn new(node: &Node) -> Result<Self> {
        let long = |letter: &str| letter.repeat(LONGEST);
        let names = [
            (IMAGE.to_owned(), SCRIPT.to_owned(), IMAGE.to_owned()),
            (ANSI.to_owned(), format!("a{ANSI}b"), ANSI.to_owned()),
            (REVERSED.to_owned(), HEBREW.to_owned(), REVERSED.to_owned()),
            (long("n"), long("w"), long("l")),
        ];
        let mut pods = Vec::new();
        for (index, (namespace, name, label)) in names.into_iter().enumerate() {
            let address = format!("10.244.7.{}", 60 + index);
            let mut pod = node.routed("x", &format!("hostile{index}"), &[&address])?;
            pod.labels.insert(label.clone(), label);
            (pod.namespace, pod.name) = (namespace, name);
            pods.push(pod);
        }
        let asker = node.routed("ci", "resolver", &["10.244.7.70"])?;
        Ok(Self { pods, asker })
    }

    /// Those that scan.
    pub(crate) fn scanners(&self) -> &[Pod] {
        &self.pods
    }

    /// The one that asks for names.
    pub(crate) const fn asker(&self) -> &Pod {
        &self.asker
    }

    /// Scans the target, and asks it for names that carry data.
    pub(crate) fn misbehave(&self, target: &Pod) -> Result<()> {
        let address = target.address();
        for pod in &self.pods {
            let mut nmap = pod.command("nmap");
            nmap.args(["-n", "-Pn", "-T5", "-p", "1-40"]);
            run("nmap", nmap.arg(address.to_string()), LIMIT)?.success()?;
        }
        let server = SocketAddr::from((address, 53));
        self.asker.network.enter(|| ask(server))?
    }
}

/// Asks for names of one domain, each of which is somebody's markup.
fn ask(server: SocketAddr) -> Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let long = "w".repeat(63);
    for index in 0..16 {
        for label in [SCRIPT, IMAGE, ANSI, REVERSED, HEBREW, &long] {
            let labels = [&format!("{index}"), label, &long, "attacker", "com"];
            let query = query(index, &labels).context("a label has 63 bytes at most")?;
            // Nobody listens there, which the kernel tells whoever sends next.
            drop(socket.send_to(&query, server));
        }
    }
    Ok(())
}

/// A question (RFC 1035, section 4.1) of type NULL, which nobody but tunnels asks.
fn query(id: u16, labels: &[&str]) -> Option<Vec<u8>> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in labels {
        message.push(u8::try_from(label.len()).ok().filter(|it| *it < 64)?);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 10, 0, 1]);
    Some(message)
}
