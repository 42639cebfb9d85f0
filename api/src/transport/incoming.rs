//! The connections to a server. Handshakes run beside each other, so that one that stalls delays nobody.

use std::{
    collections::VecDeque,
    fmt, fs, io,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use tokio::{
    net::{TcpListener, TcpStream, UnixListener},
    task::{AbortHandle, Id, JoinSet},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    connection::{Connection, Socket},
    limits::Limits,
    listen::Listen,
    peer::Peer,
    refused::{Refused, Tally},
    seats::{Seat, Seats},
    tls::{GRPC, Tls},
};

/// How long accepting rests after the system refused, for want of file descriptors say.
const REST: Duration = Duration::from_millis(50);

/// How a server receives its peers.
#[derive(Clone, Debug)]
pub struct Reception {
    /// What TCP is spoken under; a Unix socket needs none.
    pub tls: Option<Tls>,
    /// What is spoken within TLS, by the names of its protocol negotiation (RFC 7301).
    pub protocols: &'static [&'static [u8]],
    /// What peers may take.
    pub limits: Limits,
    /// Who counts those that are turned away.
    pub tally: Arc<dyn Tally>,
}

impl Default for Reception {
    fn default() -> Self {
        Self {
            tls: None,
            protocols: GRPC,
            limits: Limits::default(),
            tally: Arc::new(()),
        }
    }
}

/// The connections to a server, for `serve_with_incoming`. Dropping it removes a Unix socket.
pub struct Incoming {
    local: Listen,
    listener: Listener,
    reception: Reception,
    seats: Seats,
    handshakes: JoinSet<Result<Connection, Refused>>,
    /// Those that run, oldest first.
    running: VecDeque<(Id, Instant, AbortHandle)>,
    /// Until accepting is tried again.
    rest: Option<Pin<Box<Sleep>>>,
    /// Until the oldest handshake has stalled.
    stall: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Incoming {
    pub(super) fn new(local: Listen, listener: Listener, reception: Reception) -> Self {
        Self {
            local,
            listener,
            reception,
            seats: Seats::default(),
            handshakes: JoinSet::new(),
            running: VecDeque::new(),
            rest: None,
            stall: None,
        }
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub const fn local(&self) -> &Listen {
        &self.local
    }

    /// A handshake that came to its end, if any did.
    fn poll_shaken(&mut self, cx: &mut Context<'_>) -> Option<Connection> {
        while let Poll::Ready(Some(joined)) = self.handshakes.poll_join_next_with_id(cx) {
            let id = match &joined {
                Ok((id, _)) => *id,
                Err(error) => error.id(),
            };
            self.running.retain(|(other, ..)| *other != id);
            match joined {
                Ok((_, Ok(connection))) => return Some(connection),
                Ok((_, Err(refused))) => self.reception.tally.refused(refused),
                // The one that was stopped was counted.
                Err(_) => {}
            }
        }
        None
    }

    /// Makes room for one more handshake: one that has stalled goes.
    fn poll_room(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        if self.running.len() < self.reception.limits.handshakes {
            return Poll::Ready(());
        }
        let Some((_, since, oldest)) = self.running.front() else {
            return Poll::Ready(());
        };
        let stalled = *since + self.reception.limits.stalled;
        if now < stalled {
            let stall = self.stall.insert(Box::pin(sleep_until(stalled)));
            return stall.as_mut().poll(cx);
        }
        oldest.abort();
        self.running.pop_front();
        self.reception.tally.refused(Refused::StalledHandshake);
        Poll::Ready(())
    }

    /// The next connection that needs no handshake; those that do are begun.
    fn poll_accepted(&mut self, cx: &mut Context<'_>) -> Poll<Connection> {
        loop {
            let now = now();
            if let Some(rest) = &mut self.rest {
                ready!(rest.as_mut().poll(cx));
                self.rest = None;
            }
            ready!(self.poll_room(cx, now));
            let (socket, address) = match ready!(self.listener.poll_accept(cx)) {
                Ok(accepted) => accepted,
                // A server that ended here could be ended by whoever opens too many connections.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    self.rest = Some(Box::pin(sleep_until(now + REST)));
                    continue;
                }
            };
            let ip = address.map(|it| it.ip());
            let seat = self.seats.take(ip, &self.reception.limits, now.into_std());
            let seat = match seat {
                Ok(seat) => seat,
                Err(refused) => {
                    self.reception.tally.refused(refused);
                    continue;
                }
            };
            match (socket, &self.reception.tls, address) {
                (Socket::Tcp(stream), Some(tls), Some(address)) => {
                    let handshake =
                        shake(stream, address, tls.clone(), self.reception.clone(), seat);
                    let handle = self.handshakes.spawn(handshake);
                    self.running.push_back((handle.id(), now, handle));
                    // It must be polled to wake us.
                    if let Some(connection) = self.poll_shaken(cx) {
                        return Poll::Ready(connection);
                    }
                }
                (socket, ..) => return Poll::Ready(self.reception.plain(socket, address, seat)),
            }
        }
    }
}

impl Reception {
    fn plain(&self, socket: Socket, address: Option<SocketAddr>, seat: Seat) -> Connection {
        let tally = &self.tally;
        let peer = Peer::new(address, self.limits.requests, Arc::clone(tally));
        let silence = self.limits.silence;
        Connection::new(socket, peer, silence, Arc::clone(tally), None, seat)
    }
}

async fn shake(
    stream: TcpStream,
    address: SocketAddr,
    tls: Tls,
    reception: Reception,
    seat: Seat,
) -> Result<Connection, Refused> {
    let material = tls.material();
    let acceptor = TlsAcceptor::from(material.offering(reception.protocols));
    let shaken = timeout(reception.limits.handshake, acceptor.accept(stream)).await;
    let stream = shaken
        .map_err(|_| Refused::SlowHandshake)?
        .map_err(|error| {
            tracing::debug!(peer = %address, %error, "a handshake failed");
            Refused::Handshake
        })?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let tally = reception.tally;
    let rate = reception.limits.requests;
    let peer = Peer::encrypted(address, chain.first(), rate, Arc::clone(&tally));
    let admission = (!chain.is_empty()).then(|| tls.admit(chain, peer.clone(), &material));
    let socket = Socket::Tls(Box::new(stream));
    let silence = reception.limits.silence;
    Ok(Connection::new(
        socket, peer, silence, tally, admission, seat,
    ))
}

impl Listener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket, Option<SocketAddr>)>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = ready!(listener.poll_accept(cx))?;
                // An event must not wait for the acknowledgement of the packet before it.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection was gone at once");
                }
                Poll::Ready(Ok((Socket::Tcp(stream), Some(address))))
            }
            Self::Unix(listener) => {
                let (stream, _) = ready!(listener.poll_accept(cx))?;
                Poll::Ready(Ok((Socket::Unix(stream), None)))
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "accepting owns this clock")]
fn now() -> Instant {
    Instant::now()
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(connection) = self.poll_shaken(cx) {
            return Poll::Ready(Some(Ok(connection)));
        }
        self.poll_accepted(cx)
            .map(|connection| Some(Ok(connection)))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Listen::Unix(path) = &self.local
            && let Err(error) = fs::remove_file::<&PathBuf>(path)
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
