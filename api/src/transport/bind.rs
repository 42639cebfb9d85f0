//! Starts to listen.

use std::{fs, io, os::unix::fs::FileTypeExt as _, path::Path};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::{
    TransportError,
    incoming::{Incoming, Listener, Reception},
    listen::Listen,
};

impl Listen {
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
