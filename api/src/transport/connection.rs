//! An accepted connection: TCP, TLS over it, or a Unix socket.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::{Sleep, sleep},
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::{
    peer::Peer,
    refused::{Refused, Tally},
    seats::Seat,
    tls::Admission,
};

/// An accepted connection. It ends when its peer asks for nothing, or is no longer accepted.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    peer: Peer,
    /// Until the first request.
    silence: Option<Pin<Box<Sleep>>>,
    tally: Arc<dyn Tally>,
    _admission: Option<Admission>,
    _seat: Seat,
}

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl Connection {
    pub(super) fn new(
        socket: Socket,
        peer: Peer,
        silence: Duration,
        tally: Arc<dyn Tally>,
        admission: Option<Admission>,
        seat: Seat,
    ) -> Self {
        Self {
            socket,
            peer,
            silence: Some(Box::pin(sleep(silence))),
            tally,
            _admission: admission,
            _seat: seat,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.peer.clone()
    }
}

/// Calls a method of whichever socket it is.
macro_rules! of_socket {
    ($socket:expr, $it:ident => $call:expr) => {
        match $socket {
            Socket::Tcp($it) => $call,
            Socket::Tls($it) => $call,
            Socket::Unix($it) => $call,
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.peer.check(cx)?;
        if this.peer.is_admitted() {
            this.silence = None;
        } else if let Some(silence) = &mut this.silence
            && silence.as_mut().poll(cx).is_ready()
        {
            this.silence = None;
            this.tally.refused(Refused::Silent);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        ready!(of_socket!(&mut this.socket, it => Pin::new(it).poll_read(cx, buffer)))?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.peer.check(cx)?;
        of_socket!(&mut this.socket, it => Pin::new(it).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.peer.check(cx)?;
        of_socket!(&mut this.socket, it => Pin::new(it).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        of_socket!(&self.socket, it => it.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.peer.check(cx)?;
        of_socket!(&mut this.socket, it => Pin::new(it).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_socket!(&mut self.get_mut().socket, it => Pin::new(it).poll_shutdown(cx))
    }
}
