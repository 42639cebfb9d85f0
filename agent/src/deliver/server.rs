//! The agent's own gRPC: its events and its status, with health and reflection.

use std::time::Duration;

use api::{
    FILE_DESCRIPTOR_SET,
    transport::{CONCURRENT_REQUESTS, Incoming, LARGEST_HEADERS, Listen, TransportError},
    v1::{self, events_server::EventsServer, nodes_server::NodesServer},
};
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tonic::{
    service::{InterceptorLayer, Routes},
    transport,
};

use crate::access::{self, Access};

use super::{nodes::Itself, outbox::Outbox, subscribe::Subscribe};

/// Clients that went without a word are noticed after both of these.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why gRPC is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] TransportError),
    /// The descriptors compiled into the agent do not parse.
    #[error("cannot serve gRPC reflection: rebuild the agent from a clean checkout")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A server ended.
    #[error("cannot serve gRPC any more: restart the agent")]
    Serve(#[from] transport::Error),
}

/// A server that is bound and not yet serving.
#[derive(Debug)]
pub struct Server {
    incomings: Vec<Incoming>,
    access: Access,
    routes: Routes,
}

impl Server {
    /// Binds all addresses; nothing is answered until [`Server::run`].
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub async fn bind(
        listen: &[Listen],
        node: &str,
        outbox: &Outbox,
        status: watch::Receiver<v1::NodeStatus>,
        access: Access,
    ) -> Result<Self, ServerError> {
        let mut incomings = Vec::new();
        for listen in listen {
            incomings.push(listen.bind_with(access.reception(listen)).await?);
        }
        let subscribe = Subscribe::new(node.into(), outbox.clone());
        let events = EventsServer::with_interceptor(subscribe, access.clone());
        let itself = Itself {
            node: node.into(),
            outbox: outbox.clone(),
            status,
        };
        let nodes = NodesServer::with_interceptor(itself, access.clone());
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<EventsServer<Subscribe>>().await;
        health.set_serving::<NodesServer<Itself>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let routes = Routes::new(events)
            .add_service(nodes)
            .add_service(health_service)
            .add_service(reflection);
        Ok(Self {
            incomings,
            access,
            routes,
        })
    }

    /// Where it listens; ports are the real ones.
    #[must_use]
    pub fn local(&self) -> Vec<Listen> {
        let local = self.incomings.iter().map(Incoming::local);
        local.cloned().collect()
    }

    /// Serves until it is dropped. Without any address it waits for that alone.
    ///
    /// # Errors
    /// When a server ends.
    pub async fn run(self) -> Result<(), ServerError> {
        if self.incomings.is_empty() {
            std::future::pending::<()>().await;
        }
        let servers = self.incomings.into_iter().map(|incoming| {
            transport::Server::builder()
                .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
                .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
                .http2_max_header_list_size(Some(LARGEST_HEADERS))
                .max_concurrent_streams(Some(CONCURRENT_REQUESTS))
                .layer(InterceptorLayer::new(access::count))
                .add_routes(self.routes.clone())
                .serve_with_incoming(incoming)
        });
        tokio::select! {
            served = try_join_all(servers) => {
                served?;
            }
            () = self.access.follow() => {}
        }
        Ok(())
    }
}
