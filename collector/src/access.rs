//! Who may do what: agents speak for their node, subscribers see their namespaces.

mod caller;
mod metrics;
mod review;
mod reviewer;
mod scope;
mod subscribers;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use api::{
    retry,
    transport::{Peer, Tally},
};
pub(crate) use caller::Caller;
use metrics::Denied;
pub(crate) use metrics::Metrics;
pub use review::{ReviewError, ServiceAccount};
use reviewer::Reviewer;
pub(crate) use scope::scope;
pub use subscribers::{Subscribers, SubscribersError};
use tonic::{Request, Status, service::Interceptor};

/// Who may do what. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Whether peers must say who they are. Those over a Unix socket never must: the file system lets them in.
    closed: bool,
    subscribers: RwLock<Arc<Subscribers>>,
    reviewer: Option<Reviewer>,
    metrics: Metrics,
}

impl Access {
    pub(crate) fn new(
        closed: bool,
        subscribers: Subscribers,
        agents: Option<ServiceAccount>,
        metrics: Metrics,
    ) -> Self {
        Self(Arc::new(Inner {
            closed,
            subscribers: RwLock::new(Arc::new(subscribers)),
            reviewer: agents.map(Reviewer::new),
            metrics,
        }))
    }

    /// Reads the file of subscribers again whenever it changes; those that may no longer see what they did
    /// are disconnected.
    pub(crate) async fn follow(self) {
        let subscribers = self.subscribers();
        let tally: &dyn Tally = &self.0.metrics;
        subscribers::follow(subscribers, tally, |fresh| {
            let current = self.0.subscribers.write();
            *current.unwrap_or_else(PoisonError::into_inner) = fresh;
        })
        .await;
    }

    fn subscribers(&self) -> Arc<Subscribers> {
        let subscribers = self.0.subscribers.read();
        Arc::clone(&subscribers.unwrap_or_else(PoisonError::into_inner))
    }

    fn deny(&self, denied: Denied, status: Status) -> Status {
        self.0.metrics.denied(denied);
        status
    }
}

/// Puts a [`Caller`] among the extensions of every request.
impl Interceptor for Access {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let peer = request.extensions().get::<Peer>().cloned();
        let peer = peer.ok_or_else(|| Status::internal("the connection has no peer"))?;
        peer.ask(now()).map_err(|delay| {
            retry::after(
                delay,
                "too many requests over this connection; wait, and ask less often",
            )
        })?;
        let caller = Caller::new(self.clone(), peer, request.metadata());
        if caller.is_trusted() {
            caller.peer.admit();
        }
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

#[expect(clippy::disallowed_methods, reason = "requests own this clock")]
fn now() -> Instant {
    Instant::now()
}
