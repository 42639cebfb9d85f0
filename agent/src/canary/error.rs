//! Why the agent cannot scan itself.

use std::io;

/// Why the agent cannot scan itself.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// There is no pair of interfaces to scan through.
    #[error(
        "cannot {action}: {source}; it takes the capability NET_ADMIN and the kernel's veth, or set --canary off"
    )]
    Interfaces {
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// Nothing left the node's own stack.
    #[error(
        "cannot send from {interface}: {source}; let the node's own firewall pass what leaves there, or set --canary off"
    )]
    Send {
        /// Through which interface.
        interface: &'static str,
        /// What the kernel said of the first packet.
        source: io::Error,
    },
    /// Nobody would see the scan.
    #[error("{interface} is not watched; `interfaces` among the findings says why")]
    Unwatched {
        /// Which interface.
        interface: &'static str,
    },
}
