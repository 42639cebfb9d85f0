//! What Prometheus and Kubernetes ask over HTTP: `/metrics`, `/healthz`, `/readyz`.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text, registry::Registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::store::{self, Store};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the collector serves, and can write what it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    serving: Arc<AtomicBool>,
    store: Store,
}

impl Ready {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            serving: Arc::default(),
            store,
        }
    }

    pub(crate) fn set(&self, serving: bool) {
        self.serving.store(serving, Ordering::Relaxed);
    }
}

/// Why the address could not be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot serve metrics on {address}: stop the program that listens there (`ss -ltnp` names it), or choose another address with --metrics"
)]
pub struct WebError {
    address: SocketAddr,
    source: io::Error,
}

/// The bound address, not yet served.
#[derive(Debug)]
pub(crate) struct Web {
    listener: TcpListener,
    local: SocketAddr,
}

impl Web {
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, WebError> {
        let refused = |source| WebError { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let local = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, local })
    }

    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) async fn serve(
        self,
        registry: Registry,
        ready: Ready,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let router = Router::new()
            .route("/metrics", get(metrics).with_state(Arc::new(registry)))
            .route("/healthz", get("alive\n"))
            .route("/readyz", get(readyz).with_state(ready));
        axum::serve(self.listener, router)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPENMETRICS)], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn readyz(State(ready): State<Ready>) -> (StatusCode, String) {
    let reason = if ready.serving.load(Ordering::Relaxed) {
        match ready.store.writable().await {
            Ok(()) => return (StatusCode::OK, "ready\n".into()),
            Err(error) => store::chain(&error),
        }
    } else {
        "the collector starts or shuts down".into()
    };
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: {reason}\n"),
    )
}
