//! Who may see the events of this node, when others than this machine can ask.

mod metrics;

use std::{sync::Arc, time::Instant};

use api::{
    principal::Principal,
    retry,
    transport::{Listen, Peer, Reception, Tally, Tls},
};
pub use metrics::Metrics;
use tonic::{Request, Status, service::Interceptor};

/// Who may see the events of this node: everybody on this machine; beyond it, whose certificate is a
/// subscriber's. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    tls: Option<Tls>,
    metrics: Metrics,
}

impl Access {
    /// Without TLS there is nobody beyond this machine to tell apart.
    #[must_use]
    pub fn new(tls: Option<Tls>, metrics: Metrics) -> Self {
        Self { tls, metrics }
    }

    /// How peers are received there.
    pub(crate) fn reception(&self, listen: &Listen) -> Reception {
        Reception {
            tls: self.tls.clone().filter(|_| !listen.is_local()),
            tally: self.tally(),
            ..Reception::default()
        }
    }

    /// Reads the secrets again whenever they change.
    pub(crate) async fn follow(&self) {
        match &self.tls {
            Some(tls) => tls.clone().follow(self.tally()).await,
            None => std::future::pending().await,
        }
    }

    fn tally(&self) -> Arc<dyn Tally> {
        Arc::new(self.metrics.clone())
    }
}

/// Before every service: a peer that asks too often is told so.
pub(crate) fn count(request: Request<()>) -> Result<Request<()>, Status> {
    let peer = peer(&request)?;
    if !peer.is_encrypted() {
        peer.admit();
    }
    let asked = peer.ask(now());
    asked.map_err(|delay| {
        retry::after(
            delay,
            "too many requests over this connection; wait, and ask less often",
        )
    })?;
    Ok(request)
}

fn peer(request: &Request<()>) -> Result<&Peer, Status> {
    let peer = request.extensions().get::<Peer>();
    peer.ok_or_else(|| Status::internal("the connection has no peer"))
}

/// Before the services that tell of the node.
impl Interceptor for Access {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let peer = peer(&request)?;
        if !peer.is_encrypted() {
            return Ok(request);
        }
        let Some(uris) = peer.certified() else {
            self.metrics.denied.inc();
            return Err(Status::unauthenticated(
                "only subscribers see events: show a certificate of `picket certs subscriber`",
            ));
        };
        let mut principals = uris.iter().filter_map(|uri| Principal::of_uri(uri));
        if principals.any(|it| matches!(it, Principal::Subscriber(_))) {
            peer.admit();
            return Ok(request);
        }
        self.metrics.denied.inc();
        Err(Status::permission_denied(
            "this certificate is no subscriber's: it has no URI picket://subscriber/NAME; `picket certs subscriber` makes one",
        ))
    }
}

#[expect(clippy::disallowed_methods, reason = "requests own this clock")]
fn now() -> Instant {
    Instant::now()
}
