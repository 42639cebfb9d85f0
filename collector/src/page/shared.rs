//! What all handlers need.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    access::Access,
    actions::Actions,
    anomalies::Anomalies,
    detectors::Detectors,
    graph::Graph,
    nodes::Nodes,
    subscribe::{Events, Log},
};

/// Pages that are open at once: each has a stream of events, and leaves room for other subscribers.
const STREAMS: usize = 64;

/// What the page asks. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    pub(crate) access: Access,
    pub(crate) actions: Arc<Actions>,
    pub(crate) anomalies: Anomalies,
    pub(crate) detectors: Detectors,
    pub(crate) events: Events,
    pub(crate) graph: Graph,
    pub(crate) log: Log,
    pub(crate) nodes: Nodes,
}

/// What handlers share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) services: Arc<Services>,
    pub(super) streams: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(services: Services) -> Self {
        Self {
            services: Arc::new(services),
            streams: Arc::new(Semaphore::new(STREAMS)),
        }
    }
}
