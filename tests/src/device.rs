//! What passed an interface, by the kernel's own count.

use std::fs;

use anyhow::{Context, Result, bail};

/// Packets and bytes of an interface: what it received, and what it sent. At the host side of a pod's
/// veth that is what the pod sent, and what was sent to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Passed {
    /// A super-packet is one.
    pub packets: [u64; 2],
    /// Link layer included.
    pub bytes: [u64; 2],
}

impl Passed {
    /// What passed an interface of this namespace since there is one.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(interface: &str) -> Result<Self> {
        let devices = fs::read_to_string("/proc/thread-self/net/dev")?;
        let counts = devices.lines().find_map(|line| {
            let (name, counts) = line.split_once(':')?;
            (name.trim() == interface).then_some(counts)
        });
        let counts = counts
            .with_context(|| format!("no interface {interface}"))?
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<Vec<u64>, _>>()?;
        // Bytes and packets received come first, those sent eight columns later.
        let [received, _, _, _, sent, ..] = counts.as_chunks::<2>().0 else {
            bail!("too few columns in\n{devices}");
        };
        Ok(Self {
            packets: [received[1], sent[1]],
            bytes: [received[0], sent[0]],
        })
    }

    /// The same without what had passed `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let since = |now: [u64; 2], before: [u64; 2]| [now[0] - before[0], now[1] - before[1]];
        Self {
            packets: since(self.packets, before.packets),
            bytes: since(self.bytes, before.bytes),
        }
    }
}
