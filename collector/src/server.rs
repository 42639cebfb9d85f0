//! Puts the rooms together and serves them until told to stop.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use api::{
    transport::{
        CONCURRENT_REQUESTS, Incoming, LARGEST_HEADERS, LARGEST_REQUEST, Listen, Reception, Tally,
        Tls, TransportError,
    },
    v1::{
        actions_server::ActionsServer, anomalies_server::AnomaliesServer,
        detectors_server::DetectorsServer, events_server::EventsServer, graph_server::GraphServer,
        ingest_server::IngestServer, nodes_server::NodesServer,
    },
};
use futures_util::stream::select_all;
use prometheus_client::registry::Registry;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tonic::{
    service::{InterceptorLayer, Routes},
    transport,
};
use tonic_health::server::HealthReporter;

use crate::{
    access::Access,
    actions::Actions,
    anomalies::{self, Anomalies},
    config::Config,
    correlate::Correlator,
    detectors::{Detectors, Place},
    graph::Graph,
    identity::{ClusterError, Identity, Watches},
    ingest::Ingest,
    metrics::Metrics,
    nodes::Nodes,
    outputs,
    page::{Page, Services},
    policy,
    store::{Store, StoreError, Writer},
    subscribe::{Events, Log},
    web::{Ready, Web, WebError},
};

/// How long clients may take to let go of their connections at the end.
const GRACE: Duration = Duration::from_secs(5);

/// How often what was quiet for long enough is looked for.
const TICK: Duration = Duration::from_secs(1);

/// What is asked for in a few words: a filter, a cursor.
const LARGEST_QUESTION: usize = 64 << 10;

/// A client whose node went without a word is noticed after both of these.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the collector could not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The log could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The API server could not be found.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// An address for gRPC could not be used.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The address for HTTP could not be used.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The descriptors of the services make no sense.
    #[error("cannot describe the services")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// gRPC could not be served any more.
    #[error("cannot go on serving gRPC; restart the collector")]
    Serve(#[from] transport::Error),
    /// HTTP could not be served any more.
    #[error("cannot go on serving metrics; restart the collector")]
    Metrics(#[source] io::Error),
    /// The page could not be served any more.
    #[error("cannot go on serving the page; restart the collector")]
    Page(#[source] io::Error),
    /// A server's task ended by itself.
    #[error("a server ended by itself; restart the collector")]
    Task(#[source] tokio::task::JoinError),
}

/// A collector that has opened its log and its addresses.
#[derive(Debug)]
pub struct Server {
    incoming: Vec<Incoming>,
    web: Web,
    page: Option<Page>,
    registry: Registry,
    routes: Routes,
    access: Access,
    tls: Option<(Tls, Arc<dyn Tally>)>,
    ready: Ready,
    health: HealthReporter,
    writer: Writer,
    ticking: Store,
    policy: policy::Follower,
    nodes: Nodes,
    anomalies: anomalies::Follower,
    outputs: outputs::Runner,
    identity: Arc<Identity>,
    watches: Option<Watches>,
    shutdown: CancellationToken,
}

impl Server {
    /// Opens the log and all addresses.
    ///
    /// # Errors
    /// When one of them cannot be used; it names which, and what to do.
    pub async fn bind(config: Config) -> Result<Self, ServerError> {
        let (registry, metrics) = Metrics::new();
        let mut incoming = Vec::with_capacity(config.listen.len());
        let security = config.security;
        let tally: Arc<dyn Tally> = Arc::new(metrics.access.clone());
        let reception = Reception {
            tls: security.tls.clone(),
            tally: Arc::clone(&tally),
            ..Reception::default()
        };
        for listen in &config.listen {
            incoming.push(listen.bind_with(reception.clone()).await?);
        }
        let access = Access::new(
            security.tls.is_some(),
            security.subscribers,
            security.agents,
            metrics.access,
        );
        let web = Web::bind(config.metrics).await?;
        let correlations = config.correlate.clone();
        let correlator = Correlator::new(config.correlate, metrics.correlate);
        let opened = Store::open(&config.database, config.retain, correlator, metrics.store);
        let (store, writer) = opened.await?;
        let shutdown = CancellationToken::new();
        let path = config.detectors.clone();
        let (policy, told) = policy::Follower::start(config.detectors, metrics.policy, now());
        let nodes = Nodes::new(metrics.nodes, told.status.clone());
        let client = match &config.cluster {
            Some(cluster) => Some(cluster.client().await?),
            None => None,
        };
        let watched = client.is_some();
        let identity = Arc::new(Identity::new(config.pods, watched, metrics.identity));
        let ingest = Ingest {
            store: store.clone(),
            identity: Arc::clone(&identity),
            nodes: nodes.clone(),
            metrics: metrics.ingest,
            policy: told.policy.clone(),
            shutdown: shutdown.clone(),
        };
        let counted = nodes.clone();
        let actions = Arc::new(Actions {
            nodes: nodes.clone(),
            identity: Arc::clone(&identity),
            policy: told.policy.clone(),
        });
        let ready = Ready::new(store.clone());
        let ticking = store.clone();
        let log = Log::follow(store, metrics.subscribe.clone(), shutdown.clone());
        let (anomalies, known) = Anomalies::new(log.clone(), metrics.anomalies);
        let events = Events::new(log.clone(), metrics.subscribe, shutdown.clone());
        let place = Place {
            path,
            config_map: config.detectors_config_map.zip(client.clone()),
            apply: told.apply.clone(),
        };
        let detectors = Detectors::new(told, place, correlations, nodes.clone(), anomalies.clone());
        let graph = Graph::new(nodes.clone(), Arc::clone(&identity), anomalies.clone());
        let outputs = outputs::Runner::new(
            config.outputs,
            log.clone(),
            anomalies.clone(),
            metrics.outputs,
            shutdown.clone(),
        );
        let page = match &config.page {
            Some(listen) => {
                let services = Services {
                    access: access.clone(),
                    actions: Arc::clone(&actions),
                    anomalies: anomalies.clone(),
                    detectors: detectors.clone(),
                    events: events.clone(),
                    graph: graph.clone(),
                    log,
                    nodes: nodes.clone(),
                };
                Some(Page::bind(listen, reception, services).await?)
            }
            None => None,
        };
        let (health, health_service) = tonic_health::server::health_reporter();
        let mut routes = Routes::builder();
        routes
            .add_service(IngestServer::new(ingest).max_decoding_message_size(LARGEST_REQUEST))
            .add_service(EventsServer::new(events).max_decoding_message_size(LARGEST_QUESTION))
            .add_service(
                ActionsServer::from_arc(actions).max_decoding_message_size(LARGEST_QUESTION),
            )
            .add_service(
                AnomaliesServer::new(anomalies).max_decoding_message_size(LARGEST_QUESTION),
            )
            .add_service(DetectorsServer::new(detectors).max_decoding_message_size(LARGEST_REQUEST))
            .add_service(GraphServer::new(graph).max_decoding_message_size(LARGEST_QUESTION))
            .add_service(NodesServer::new(nodes).max_decoding_message_size(LARGEST_QUESTION))
            .add_service(health_service)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?);
        Ok(Self {
            incoming,
            web,
            page,
            registry,
            routes: routes.routes(),
            access,
            tls: security.tls.map(|tls| (tls, tally)),
            ready,
            health,
            writer,
            ticking,
            policy,
            nodes: counted,
            anomalies: known,
            outputs,
            identity: Arc::clone(&identity),
            watches: client.map(|client| Watches { identity, client }),
            shutdown,
        })
    }

    /// Where gRPC is served; the ports are the real ones.
    pub fn listening(&self) -> impl Iterator<Item = &Listen> {
        self.incoming.iter().map(Incoming::local)
    }

    /// Where HTTP is served; the port is the real one.
    #[must_use]
    pub const fn metrics(&self) -> SocketAddr {
        self.web.local()
    }

    /// Where the page is served, if it is; the port is the real one.
    #[must_use]
    pub fn page(&self) -> Option<&Listen> {
        self.page.as_ref().map(Page::local)
    }

    /// Serves until `stop` resolves, then ends all streams and stores what is queued.
    ///
    /// # Errors
    /// When the addresses cannot be served any more.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), ServerError> {
        let ready = self.ready;
        let shutdown = self.shutdown;
        let grpc = tokio::spawn(
            transport::Server::builder()
                .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
                .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
                .http2_max_header_list_size(Some(LARGEST_HEADERS))
                .max_concurrent_streams(Some(CONCURRENT_REQUESTS))
                .layer(InterceptorLayer::new(self.access.clone()))
                .add_routes(self.routes)
                .serve_with_incoming_shutdown(
                    select_all(self.incoming),
                    shutdown.clone().cancelled_owned(),
                ),
        );
        let web = tokio::spawn(
            self.web
                .serve(self.registry, ready.clone(), shutdown.clone()),
        );
        let page = self.page;
        let page = tokio::spawn({
            let shutdown = shutdown.clone();
            async move {
                match page {
                    Some(page) => page.serve(shutdown).await,
                    None => {
                        shutdown.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        tokio::spawn(tick(self.ticking, shutdown.clone()));
        tokio::spawn(until(shutdown.clone(), self.access.follow()));
        tokio::spawn(until(shutdown.clone(), self.policy.run()));
        tokio::spawn(until(shutdown.clone(), self.anomalies.run()));
        // It ends by itself, after what it is sending.
        let outputs = tokio::spawn(self.outputs.run());
        tokio::spawn(until(
            shutdown.clone(),
            self.nodes.keep_account(self.identity),
        ));
        if let Some(watches) = self.watches {
            tokio::spawn(until(shutdown.clone(), watches.run()));
        }
        if let Some((tls, tally)) = self.tls {
            tokio::spawn(until(shutdown.clone(), tls.follow(tally)));
        }
        serving(&self.health, true).await;
        ready.set(true);
        tracing::info!("ready");

        let (mut grpc, mut web, mut page) = (grpc, web, page);
        let ended = tokio::select! {
            () = stop => None,
            result = &mut grpc => Some(served(result)),
            result = &mut web => Some(answered(result)),
            result = &mut page => Some(shown(result)),
        };
        tracing::info!("shutting down");
        ready.set(false);
        serving(&self.health, false).await;
        shutdown.cancel();
        let result = match ended {
            Some(result) => result,
            None => {
                let all = async {
                    served(grpc.await)
                        .and(answered(web.await))
                        .and(shown(page.await))
                };
                // A client that reads nothing would hold us for ever.
                tokio::time::timeout(GRACE, all).await.unwrap_or(Ok(()))
            }
        };
        // It has a grace of its own.
        drop(outputs.await);
        self.writer.close().await;
        result
    }
}

async fn tick(store: Store, shutdown: CancellationToken) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ticking = async {
        loop {
            interval.tick().await;
            if !store.tick().await {
                return;
            }
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = ticking => {}
    }
}

async fn until(shutdown: CancellationToken, following: impl Future<Output = ()>) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = following => {}
    }
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(api::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// The empty name stands for the whole server.
async fn serving(health: &HealthReporter, serving: bool) {
    let status = if serving {
        tonic_health::ServingStatus::Serving
    } else {
        tonic_health::ServingStatus::NotServing
    };
    for service in [
        "",
        <IngestServer<Ingest> as tonic::server::NamedService>::NAME,
        <EventsServer<Events> as tonic::server::NamedService>::NAME,
        <NodesServer<Nodes> as tonic::server::NamedService>::NAME,
        <DetectorsServer<Detectors> as tonic::server::NamedService>::NAME,
        <GraphServer<Graph> as tonic::server::NamedService>::NAME,
        <AnomaliesServer<Anomalies> as tonic::server::NamedService>::NAME,
        <ActionsServer<Actions> as tonic::server::NamedService>::NAME,
    ] {
        health.set_service_status(service, status).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "when the collector starts")]
fn now() -> SystemTime {
    SystemTime::now()
}

type Joined<T> = Result<T, tokio::task::JoinError>;

fn served(result: Joined<Result<(), transport::Error>>) -> Result<(), ServerError> {
    Ok(result.map_err(ServerError::Task)??)
}

fn answered(result: Joined<io::Result<()>>) -> Result<(), ServerError> {
    result
        .map_err(ServerError::Task)?
        .map_err(ServerError::Metrics)
}

fn shown(result: Joined<io::Result<()>>) -> Result<(), ServerError> {
    result
        .map_err(ServerError::Task)?
        .map_err(ServerError::Page)
}
