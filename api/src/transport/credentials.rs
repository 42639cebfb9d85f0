//! How a client says who it is, and knows the server.

use std::path::PathBuf;

/// How a client says who it is, and knows the server. Files are read anew for each connection, and the token
/// for each request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Credentials {
    /// Who signs the server's certificate.
    pub ca: Option<PathBuf>,
    /// The name that the server's certificate has to bear; none when it is that of the address.
    pub name: Option<String>,
    /// The client's own certificate, and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// A bearer token.
    pub token: Option<PathBuf>,
    /// Whether to speak without TLS beyond this machine.
    pub insecure: bool,
}
