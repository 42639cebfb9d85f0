//! Metrics and health over HTTP.

mod readiness;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::{encoding::text, registry::Registry};
use tokio::net::TcpListener;

pub use readiness::{Pending, Readiness};

/// The content type of OpenMetrics 1.0.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why nothing is served over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address cannot be listened on.
    #[error(
        "cannot serve metrics on {address}: stop what listens there (`ss -ltp` names it) or choose \
         another address with --metrics"
    )]
    Bind {
        address: SocketAddr,
        source: io::Error,
    },
    /// The server ended.
    #[error("cannot serve metrics any more: restart the agent")]
    Serve(#[source] io::Error),
}

/// A server that is bound and not yet serving.
#[derive(Debug)]
pub struct Web {
    listener: TcpListener,
}

impl Web {
    /// Binds the address; nothing is answered until [`Web::run`].
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(address: SocketAddr) -> Result<Self, WebError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| WebError::Bind { address, source })?;
        Ok(Self { listener })
    }

    /// Where it listens; the port is the real one.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is dropped.
    ///
    /// # Errors
    /// When the server ends.
    pub async fn run(self, registry: Registry, readiness: Readiness) -> Result<(), WebError> {
        let registry = Arc::new(registry);
        let router = Router::new()
            .route("/metrics", get(async move || metrics(&registry)))
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(async move || ready(&readiness)));
        axum::serve(self.listener, router)
            .await
            .map_err(WebError::Serve)
    }
}

fn metrics(registry: &Registry) -> impl IntoResponse + use<> {
    let mut metrics = String::new();
    text::encode(&mut metrics, registry)
        .map(|()| ([(header::CONTENT_TYPE, OPENMETRICS)], metrics))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

fn ready(readiness: &Readiness) -> impl IntoResponse + use<> {
    let pending = readiness.pending();
    if pending.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let pending = pending.join(", ");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: {pending}\n"),
    )
}

#[cfg(test)]
mod tests;
