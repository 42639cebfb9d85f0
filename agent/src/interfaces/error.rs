//! Why interfaces cannot be watched.

use std::io;

/// Why interfaces cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum InterfacesError {
    /// The socket could not be made ready.
    #[error(
        "cannot {action} for watching interfaces: check that the kernel offers rtnetlink and that seccomp permits it"
    )]
    Open {
        action: &'static str,
        source: io::Error,
    },
    /// The socket failed later.
    #[error("cannot {action} while watching interfaces: restart the agent")]
    Read {
        action: &'static str,
        source: io::Error,
    },
    /// The reader's thread is gone without a word.
    #[error("the reader of interface changes has stopped: restart the agent and report its log")]
    Stopped,
}
