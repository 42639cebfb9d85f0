//! Who is at the other end of a connection, and the means to end it.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
    time::{Duration, Instant},
};

use futures_util::task::AtomicWaker;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::{
    limits::{Bucket, Rate},
    refused::{Refused, Tally},
};

/// Who is at the other end of a connection; with every request, among its extensions. Clones are of the same
/// connection.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

/// A peer that may have left.
#[derive(Clone, Debug)]
pub struct WeakPeer(Weak<Inner>);

impl WeakPeer {
    /// The peer, if it is still there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Peer> {
        self.0.upgrade().map(Peer)
    }

    /// Whether it is this one.
    #[must_use]
    pub fn is(&self, peer: &Peer) -> bool {
        Weak::as_ptr(&self.0) == Arc::as_ptr(&peer.0)
    }
}

#[derive(Debug)]
struct Inner {
    address: Option<SocketAddr>,
    certified: Option<Vec<String>>,
    encrypted: bool,
    rate: Rate,
    requests: Mutex<Option<Bucket>>,
    admitted: AtomicBool,
    ended: AtomicBool,
    waker: AtomicWaker,
    tally: Arc<dyn Tally>,
}

impl Peer {
    pub(super) fn new(address: Option<SocketAddr>, rate: Rate, tally: Arc<dyn Tally>) -> Self {
        Self(Arc::new(Inner {
            address,
            certified: None,
            encrypted: false,
            rate,
            requests: Mutex::default(),
            admitted: AtomicBool::default(),
            ended: AtomicBool::default(),
            waker: AtomicWaker::new(),
            tally,
        }))
    }

    /// The same over TLS, with the certificate that was verified, if any was shown.
    pub(super) fn encrypted(
        address: SocketAddr,
        certificate: Option<&CertificateDer<'_>>,
        rate: Rate,
        tally: Arc<dyn Tally>,
    ) -> Self {
        Self(Arc::new(Inner {
            address: Some(address),
            certified: certificate.map(uris),
            encrypted: true,
            rate,
            requests: Mutex::default(),
            admitted: AtomicBool::default(),
            ended: AtomicBool::default(),
            waker: AtomicWaker::new(),
            tally,
        }))
    }

    /// None over a Unix socket, which lets in whom the file system does.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// Whether the connection is TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.encrypted
    }

    /// The URIs that the peer's verified certificate bears; none when it showed none.
    #[must_use]
    pub fn certified(&self) -> Option<&[String]> {
        self.0.certified.as_deref()
    }

    /// Notes that it made a request.
    ///
    /// # Errors
    /// How long it must wait, when it makes too many.
    pub fn ask(&self, now: Instant) -> Result<(), Duration> {
        let mut requests = self
            .0
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let bucket = requests.get_or_insert_with(|| Bucket::full(self.0.rate, now));
        bucket
            .take(self.0.rate, now)
            .inspect_err(|_| self.0.tally.refused(Refused::RequestRate))
    }

    /// It may stay: somebody who is known made a request over it.
    pub fn admit(&self) {
        self.0.admitted.store(true, Ordering::Relaxed);
    }

    /// One that does not keep what is known of it.
    #[must_use]
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer(Arc::downgrade(&self.0))
    }

    pub(super) fn is_admitted(&self) -> bool {
        self.0.admitted.load(Ordering::Relaxed)
    }

    /// Ends the connection with all its streams, as soon as its task looks.
    pub fn end(&self) {
        if !self.0.ended.swap(true, Ordering::Release) {
            self.0.tally.refused(Refused::Revoked);
        }
        self.0.waker.wake();
    }

    /// Fails once the connection is to end; until then the task will be woken for it.
    pub(super) fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        self.0.waker.register(cx.waker());
        if self.0.ended.load(Ordering::Acquire) {
            let message = "the peer is no longer accepted";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, message));
        }
        Ok(())
    }
}

/// A certificate that names nobody was verified all the same.
fn uris(certificate: &CertificateDer<'_>) -> Vec<String> {
    let parsed = EndEntityCert::try_from(certificate);
    let uris = parsed.iter().flat_map(|it| it.valid_uri_names());
    uris.map(Into::into).collect()
}
