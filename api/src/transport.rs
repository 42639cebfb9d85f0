//! Where a server listens and how a client reaches it: TCP or a Unix socket.

mod listen;
mod remote;

use std::io;

pub use listen::{Connection, Incoming, Listen};
pub use remote::Remote;

/// Why an address could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The text is no address to listen on.
    #[error(
        "cannot listen on `{text}`: it is no address; write it like 127.0.0.1:7400, [::1]:7400 or unix:/run/picket.sock"
    )]
    Listen {
        /// What was given.
        text: String,
    },
    /// The text is no address to connect to.
    #[error(
        "cannot connect to `{text}`: it is no address; write it like http://127.0.0.1:7400 or unix:/run/picket.sock"
    )]
    Remote {
        /// What was given.
        text: String,
    },
    /// Another program listens there.
    #[error(
        "cannot listen on {listen}: another program does; stop it (`ss -lp` names it) or choose another address"
    )]
    Taken {
        /// The address.
        listen: Listen,
    },
    /// The path of the socket holds something else.
    #[error(
        "cannot listen on {listen}: the path is there and is no socket; choose another path or remove it"
    )]
    NotASocket {
        /// The address.
        listen: Listen,
    },
    /// The system refused the address.
    #[error("cannot listen on {listen}: check that the address is this machine's and permitted")]
    Bind {
        /// The address.
        listen: Listen,
        /// Why.
        source: io::Error,
    },
    /// Nobody answers there.
    #[error("cannot connect to {remote}: check the address, and that its server is running")]
    Connect {
        /// The address.
        remote: String,
        /// Why.
        source: tonic::transport::Error,
    },
}
