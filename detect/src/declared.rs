//! What the cluster declares: addresses and ports that its Services and pods have.

use std::net::IpAddr;

use hashbrown::HashSet;

use crate::Transport;

/// Ports of addresses that anybody may look for: that they fail is an outage, and no scan. They still count as
/// ports that were tried.
#[derive(Clone, Debug, Default)]
pub struct Declared(HashSet<(IpAddr, Transport, u16)>);

impl Declared {
    /// Whether this port of this address is declared.
    #[must_use]
    pub fn contains(&self, address: IpAddr, transport: Transport, port: u16) -> bool {
        !self.0.is_empty() && self.0.contains(&(address, transport, port))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(IpAddr, Transport, u16)> for Declared {
    fn from_iter<T: IntoIterator<Item = (IpAddr, Transport, u16)>>(declared: T) -> Self {
        Self(declared.into_iter().collect())
    }
}
