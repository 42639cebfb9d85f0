//! The server's end of a transport.

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::{
    TransportError,
    incoming::{Incoming, Listener, Reception},
};

/// Where a server listens: `HOST:PORT` or `unix:PATH`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listen {
    /// A TCP address; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = TransportError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let listen = match text.strip_prefix("unix:") {
            Some(path) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                (!path.is_empty()).then(|| Self::Unix(path.into()))
            }
            None => text.parse().ok().map(Self::Tcp),
        };
        listen.ok_or_else(|| TransportError::Listen { text: text.into() })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Listen {
    /// Whether only this machine can reach it.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => match address.ip() {
                IpAddr::V4(ip) => ip.is_loopback(),
                IpAddr::V6(ip) => ip.is_loopback(),
            },
            Self::Unix(_) => true,
        }
    }

    /// Starts to listen, without TLS. A Unix socket that nobody listens on is replaced.
    ///
    /// # Errors
    /// When another program listens there, or the system refuses the address.
    pub async fn bind(&self) -> Result<Incoming, TransportError> {
        self.bind_with(Reception::default()).await
    }

    /// The same, and receives peers as told.
    ///
    /// # Errors
    /// When another program listens there, or the system refuses the address.
    pub async fn bind_with(&self, reception: Reception) -> Result<Incoming, TransportError> {
        let bound = match self {
            Self::Tcp(address) => TcpListener::bind(address).await.and_then(|listener| {
                let local = Self::Tcp(listener.local_addr()?);
                Ok((local, Listener::Tcp(listener)))
            }),
            Self::Unix(path) => {
                self.clear(path).await?;
                let bound = UnixListener::bind(path);
                bound.map(|listener| (self.clone(), Listener::Unix(listener)))
            }
        };
        let (local, listener) = bound.map_err(|source| self.refused(source))?;
        Ok(Incoming::new(local, listener, reception))
    }

    /// Removes the socket a server left behind when it was killed.
    async fn clear(&self, path: &Path) -> Result<(), TransportError> {
        let listen = self.clone();
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return Ok(());
        };
        if !metadata.file_type().is_socket() {
            return Err(TransportError::NotASocket { listen });
        }
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(|source| self.refused(source))
            }
            Ok(_) => Err(TransportError::Taken { listen }),
            Err(source) => Err(self.refused(source)),
        }
    }

    fn refused(&self, source: io::Error) -> TransportError {
        let listen = self.clone();
        if source.kind() == io::ErrorKind::AddrInUse {
            return TransportError::Taken { listen };
        }
        TransportError::Bind { listen, source }
    }
}
