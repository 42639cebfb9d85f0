//! Who makes a request, as far as it says so.

use std::{fmt, sync::Arc};

use api::{principal::Principal, transport::Peer};
use tonic::{Request, Status};

use super::{Access, Denied, ReviewError, now, subscribers::Subscriber};

/// Who makes a request: among its extensions.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(super) access: Access,
    pub(super) peer: Peer,
    /// As it was sent; never shown.
    pub(super) bearer: Option<String>,
    /// Who has signed in to the page.
    pub(super) signed_in: Option<Arc<Subscriber>>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Caller {
    pub(super) fn new(
        access: Access,
        peer: Peer,
        authorization: Option<&str>,
        signed_in: Option<Arc<Subscriber>>,
    ) -> Self {
        // The scheme is written in any case (RFC 9110, section 11.1).
        let bearer = authorization.and_then(|it| it.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        Self {
            access,
            peer,
            bearer: bearer.map(|(_, token)| token.trim().to_owned()),
            signed_in,
        }
    }

    /// Who makes this request.
    pub(crate) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let caller = request.extensions().get::<Self>().cloned();
        caller.ok_or_else(|| Status::internal("the request came past the door"))
    }

    /// Whether it is over TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.peer.is_encrypted()
    }

    /// Whom nobody need ask: this is an open collector, or a Unix socket.
    pub(crate) fn is_trusted(&self) -> bool {
        !self.access.0.closed || self.peer.address().is_none()
    }

    /// Whom the verified certificate is for.
    pub(super) fn certified(&self) -> impl Iterator<Item = Principal<'_>> {
        let uris = self.peer.certified().unwrap_or_default();
        uris.iter().filter_map(|uri| Principal::of_uri(uri))
    }

    /// That it is some node's agent, before anything that it says is read.
    pub(crate) async fn introduce(&self) -> Result<(), Status> {
        let known = self.certified().any(|it| matches!(it, Principal::Node(_)));
        if !self.is_trusted() && !known {
            self.reviewed().await?;
        }
        self.peer.admit();
        Ok(())
    }

    /// That it is the agent of this node.
    pub(crate) async fn speak_for(&self, node: &str) -> Result<(), Status> {
        if self.is_trusted() || self.certified().any(|it| it == Principal::Node(node)) {
            return Ok(());
        }
        let certified = self.certified().find_map(|it| match it {
            Principal::Node(name) => Some(name.to_owned()),
            Principal::Subscriber(_) | Principal::Operator(_) => None,
        });
        let name = match certified {
            Some(name) => name,
            None => self.reviewed().await?,
        };
        if name == node {
            return Ok(());
        }
        let message = format!(
            "the agent of node `{name}` may not speak for node `{node}`; correct its --node, or give it the certificate of that node"
        );
        Err(self
            .access
            .deny(Denied::ForeignNode, Status::permission_denied(message)))
    }

    /// Whose token it shows.
    async fn reviewed(&self) -> Result<String, Status> {
        let (Some(reviewer), Some(token)) = (&self.access.0.reviewer, &self.bearer) else {
            return Err(self.unidentified());
        };
        match reviewer.node(token, now()).await {
            Ok(name) => Ok(name),
            Err(error @ ReviewError::Refused(_)) => Err(self
                .access
                .deny(Denied::Token, Status::unauthenticated(error.to_string()))),
            Err(error) => {
                tracing::warn!(%error, "cannot tell whose token an agent has");
                let status = Status::unavailable(error.to_string());
                Err(self.access.deny(Denied::NoReview, status))
            }
        }
    }

    fn unidentified(&self) -> Status {
        let other = self.peer.certified().is_some();
        let message = format!(
            "nothing says of which node this is the agent: {}; give the agent --tls-cert and --tls-key of `picket certs node`, or --token where the collector has --agent-service-account",
            if other {
                "its certificate has no URI picket://node/NAME"
            } else {
                "it shows no certificate and no token"
            }
        );
        if other {
            return self
                .access
                .deny(Denied::ForeignNode, Status::permission_denied(message));
        }
        self.access
            .deny(Denied::Nobody, Status::unauthenticated(message))
    }
}
