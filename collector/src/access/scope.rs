//! What a subscriber may see.

use std::sync::Arc;

use api::{filter, principal::Principal, v1};
use tonic::{Request, Status};

use super::{Caller, Denied, subscribers::Subscriber};

/// What the caller may see.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    caller: Caller,
    /// None when nobody need ask.
    subscriber: Option<Arc<Subscriber>>,
}

/// What the caller of this request may see; an error when it is no subscriber.
pub(crate) fn scope<T>(request: &Request<T>) -> Result<Scope, Status> {
    let caller = Caller::of(request)?;
    if caller.is_trusted() {
        return Ok(Scope {
            caller,
            subscriber: None,
        });
    }
    let subscriber = subscriber(&caller)?;
    // So that it can be sent away when it may no longer see all of it.
    subscriber.met(&caller.peer);
    caller.peer.admit();
    Ok(Scope {
        caller,
        subscriber: Some(subscriber),
    })
}

fn subscriber(caller: &Caller) -> Result<Arc<Subscriber>, Status> {
    let known = caller.access.subscribers();
    if let Some(token) = &caller.bearer {
        return known.of_token(token).ok_or_else(|| {
            let message = "the bearer token is no subscriber's; name its file in the collector's --subscribers";
            caller.access.deny(Denied::Token, Status::unauthenticated(message))
        });
    }
    if let Some(signed_in) = &caller.signed_in {
        return Ok(Arc::clone(signed_in));
    }
    let mut names = caller.certified().filter_map(|it| match it {
        Principal::Subscriber(name) => Some(name),
        Principal::Node(_) | Principal::Operator(_) => None,
    });
    let Some(name) = names.next() else {
        let (denied, status) = if caller.peer.certified().is_some() {
            let message = "this certificate is no subscriber's: it has no URI picket://subscriber/NAME; `picket certs subscriber` makes one";
            (Denied::Subscriber, Status::permission_denied(message))
        } else {
            let message = "only subscribers see events: show a certificate with --tls-cert and --tls-key, or a token with --token-file";
            (Denied::Nobody, Status::unauthenticated(message))
        };
        return Err(caller.access.deny(denied, status));
    };
    known.of_certificate(name).ok_or_else(|| {
        let message = format!(
            "subscriber `{name}` is not known; add it to the collector's --subscribers with `certificate: true`"
        );
        caller.access.deny(Denied::Subscriber, Status::permission_denied(message))
    })
}

impl Scope {
    /// Those it is bound to; none when it sees all.
    pub(crate) fn namespaces(&self) -> Option<&[String]> {
        self.subscriber.as_ref()?.namespaces()
    }

    /// Who it is; empty when nobody need ask.
    pub(crate) fn principal(&self) -> &str {
        self.subscriber.as_ref().map_or("", |it| it.name())
    }

    /// That it may change what others see of anomalies.
    pub(crate) fn change(&self, what: &str) -> Result<(), Status> {
        match &self.subscriber {
            Some(it) if !it.triages() => Err(self.outside(&format!(
                "you may not {what}: the collector's --subscribers say `read_only: true` of you"
            ))),
            _ => Ok(()),
        }
    }

    /// That it may set the detectors of all nodes.
    pub(crate) fn set_detectors(&self) -> Result<(), Status> {
        match &self.subscriber {
            Some(it) if !it.sets_detectors() => Err(self.outside(
                "you may not set the detectors: the collector's --subscribers have to say `detectors: true` of you",
            )),
            _ => Ok(()),
        }
    }

    /// The filter, which then lets nothing pass that lies outside.
    pub(crate) fn narrow(&self, filter: Option<v1::Filter>) -> Result<v1::Filter, Status> {
        let mut filter = filter.unwrap_or_default();
        let Some(namespaces) = self.namespaces() else {
            return Ok(filter);
        };
        if filter.namespaces.is_empty() {
            filter.namespaces = namespaces.to_vec();
            return Ok(filter);
        }
        filter.namespaces.retain(|it| namespaces.contains(it));
        if filter.namespaces.is_empty() {
            return Err(self.outside(&format!(
                "you may see none of these namespaces, only {}",
                namespaces.join(", ")
            )));
        }
        Ok(filter)
    }

    /// Whether the event lies inside.
    pub(crate) fn sees(&self, event: &v1::Event) -> bool {
        self.namespaces().is_none_or(|namespaces| {
            let filter = v1::Filter {
                namespaces: namespaces.to_vec(),
                ..Default::default()
            };
            filter::matches(&filter, event)
        })
    }

    /// Whether the namespace lies inside.
    pub(crate) fn sees_namespace(&self, namespace: &str) -> bool {
        let all = self.namespaces();
        all.is_none_or(|all| all.iter().any(|it| it == namespace))
    }

    /// That the namespace lies inside.
    pub(crate) fn see_namespace(&self, namespace: &str) -> Result<(), Status> {
        if self.sees_namespace(namespace) {
            return Ok(());
        }
        Err(self.outside(&format!("you may not see namespace `{namespace}`")))
    }

    /// That it is not bound to namespaces, for nodes lie in none.
    pub(crate) fn see_nodes(&self) -> Result<(), Status> {
        match self.namespaces() {
            None => Ok(()),
            Some(_) => Err(self.outside(
                "nodes are for subscribers with `namespaces: all`, and you are bound to some",
            )),
        }
    }

    fn outside(&self, message: &str) -> Status {
        let status = Status::permission_denied(message);
        self.caller.access.deny(Denied::Scope, status)
    }
}
