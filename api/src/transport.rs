//! Where a server listens and how a client reaches it: TLS over TCP, TCP on one machine, or a Unix socket.

mod bind;
mod cause;
mod connection;
mod connector;
mod credentials;
mod expiry;
mod incoming;
mod limits;
mod listen;
mod peer;
mod refused;
mod remote;
mod seats;
mod secret;
mod settled;
mod tls;

use std::io;

pub use cause::cause;
pub use connection::Connection;
pub use connector::Dialer;
pub use credentials::Credentials;
pub use expiry::valid_until;
pub use incoming::{Incoming, Reception};
pub use limits::{CONCURRENT_REQUESTS, LARGEST_HEADERS, LARGEST_REQUEST, Limits, Rate};
pub use listen::Listen;
pub use peer::{Peer, WeakPeer};
pub use refused::{Refused, Reread, Tally};
pub use remote::Remote;
pub use secret::{Kind, SecretError, token};
pub use settled::Settled;
pub use tls::{GRPC, HTTP, Tls, TlsFiles};

pub(crate) use secret::Secret;
pub(crate) use tls::{provider, roots};

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
        "cannot connect to `{text}`: it is no address; write it like https://collector:7400, http://127.0.0.1:7400 or unix:/run/picket.sock"
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
    /// TLS is spoken there, and nothing says who signs its certificate.
    #[error(
        "cannot connect to {remote}: nothing says who signs its certificate; give the authority's with --tls-ca FILE"
    )]
    NoAuthority {
        /// The address.
        remote: String,
    },
    /// Events would cross the network for everybody to read.
    #[error(
        "not connecting to {remote} without TLS, for it is beyond this machine: write https:// and give --tls-ca, or give --insecure"
    )]
    Plain {
        /// The address.
        remote: String,
    },
    /// So would a token.
    #[error("not sending a token to {remote} without TLS: write https:// and give --tls-ca")]
    PlainToken {
        /// The address.
        remote: String,
    },
    /// A secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
}
