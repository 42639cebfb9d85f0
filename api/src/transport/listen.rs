//! The server's end of a transport.

use std::{
    fmt, fs, io,
    net::SocketAddr,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    pin::Pin,
    str::FromStr,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use futures_util::stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::TransportError;

/// How long accepting rests after the system refused, for want of file descriptors say.
const REST: Duration = Duration::from_millis(50);

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
    /// Starts to listen. A Unix socket that nobody listens on is replaced.
    ///
    /// # Errors
    /// When another program listens there, or the system refuses the address.
    pub async fn bind(&self) -> Result<Incoming, TransportError> {
        let bound = match self {
            Self::Tcp(address) => TcpListener::bind(address).await.and_then(|listener| {
                Ok(Incoming {
                    local: Self::Tcp(listener.local_addr()?),
                    connections: Box::pin(stream::unfold(listener, accept_tcp)),
                })
            }),
            Self::Unix(path) => {
                self.clear(path).await?;
                UnixListener::bind(path).map(|listener| Incoming {
                    local: self.clone(),
                    connections: Box::pin(stream::unfold(listener, accept_unix)),
                })
            }
        };
        bound.map_err(|source| self.refused(source))
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

async fn accept_tcp(listener: TcpListener) -> Option<(io::Result<Connection>, TcpListener)> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // An event must not wait for the acknowledgement of the packet before it.
                let ready = stream.set_nodelay(true).map(|()| Connection::Tcp(stream));
                return Some((ready, listener));
            }
            Err(error) => rest(&error).await,
        }
    }
}

async fn accept_unix(listener: UnixListener) -> Option<(io::Result<Connection>, UnixListener)> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((Ok(Connection::Unix(stream)), listener)),
            Err(error) => rest(&error).await,
        }
    }
}

/// A server that ended here could be ended by whoever opens too many connections.
async fn rest(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(REST).await;
}

/// The connections to a server, for `serve_with_incoming`. Dropping it removes a Unix socket.
pub struct Incoming {
    local: Listen,
    connections: Pin<Box<dyn Stream<Item = io::Result<Connection>> + Send>>,
}

impl Incoming {
    /// Where it listens; the port is the real one.
    #[must_use]
    pub const fn local(&self) -> &Listen {
        &self.local
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.as_mut().poll_next(cx)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Listen::Unix(path) = &self.local
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, socket = %path.display(), "cannot remove the socket");
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// An accepted connection.
#[derive(Debug)]
pub enum Connection {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        match self {
            Self::Tcp(stream) => stream.connect_info(),
            Self::Unix(_) => TcpConnectInfo {
                local_addr: None,
                remote_addr: None,
            },
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
