//! Who may do what: agents speak for their node, subscribers see their namespaces.

mod caller;
mod metrics;
mod pass;
mod review;
mod reviewer;
mod scope;
mod subscribers;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Instant, SystemTime},
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

    /// Whoever makes a request over this connection, with what it shows.
    pub(crate) fn caller(
        &self,
        peer: Peer,
        authorization: Option<&str>,
        pass: Option<&str>,
    ) -> Result<Caller, Status> {
        peer.ask(now()).map_err(|delay| {
            retry::after(
                delay,
                "too many requests over this connection; wait, and ask less often",
            )
        })?;
        let signed_in = pass.and_then(|it| self.signed_in(it, wall()));
        let caller = Caller::new(self.clone(), peer, authorization, signed_in);
        if caller.is_trusted() {
            caller.peer.admit();
        }
        Ok(caller)
    }

    /// A pass for whoever has this token.
    pub(crate) fn sign_in(&self, token: &str) -> Result<String, Status> {
        let subscriber = self.subscribers().of_token(token);
        let pass = subscriber.and_then(|it| pass::open(&it, wall()));
        pass.ok_or_else(|| {
            let message =
                "the token is no subscriber's; name its file in the collector's --subscribers";
            self.deny(Denied::Token, Status::unauthenticated(message))
        })
    }

    fn signed_in(&self, pass: &str, now: SystemTime) -> Option<Arc<subscribers::Subscriber>> {
        pass::of(&self.subscribers(), pass, now)
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
        let header = request.metadata().get("authorization");
        let caller = self.caller(peer, header.and_then(|it| it.to_str().ok()), None)?;
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

#[expect(clippy::disallowed_methods, reason = "requests own this clock")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "passes end by this clock")]
fn wall() -> SystemTime {
    SystemTime::now()
}
