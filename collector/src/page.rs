//! The page, over HTTP: its files, and what `picket.v1` answers as JSON. Whoever calls is the same to the services
//! as over gRPC.

mod accept;
mod answer;
mod ask;
mod caller;
mod changes;
mod files;
mod guard;
mod routes;
mod shared;
mod stream;

use std::io;

use api::transport::{HTTP, Incoming, Listen, Reception, TransportError};
use axum::{Router, middleware, serve};
use tokio_util::sync::CancellationToken;

pub(crate) use self::shared::Services;
use self::{
    accept::{Accepting, Client},
    shared::Shared,
};

/// The bound address, not yet served.
#[derive(Debug)]
pub(crate) struct Page {
    incoming: Incoming,
    services: Services,
}

impl Page {
    pub(crate) async fn bind(
        listen: &Listen,
        reception: Reception,
        services: Services,
    ) -> Result<Self, TransportError> {
        let reception = Reception {
            protocols: HTTP,
            ..reception
        };
        let incoming = listen.bind_with(reception).await?;
        Ok(Self { incoming, services })
    }

    /// Where it listens; the port is the real one.
    pub(crate) const fn local(&self) -> &Listen {
        self.incoming.local()
    }

    /// Serves until told to stop.
    pub(crate) async fn serve(self, shutdown: CancellationToken) -> io::Result<()> {
        let shared = Shared::new(self.services);
        let router: Router = routes::router()
            .fallback(files::file)
            .layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
            .with_state(shared);
        let service = router.into_make_service_with_connect_info::<Client>();
        serve(Accepting(self.incoming), service)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await
    }
}
