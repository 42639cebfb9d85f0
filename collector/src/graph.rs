//! `picket.v1.Graph`: who talks to whom, as the agents of all nodes saw of late, and where it burns.

mod build;
mod heat;
mod who;

use std::sync::Arc;

use api::v1::{self, graph_server};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use self::build::{Asked, Builder};
use crate::{access, anomalies::Anomalies, identity::Identity, nodes::Nodes};

/// Graphs that are made at once: each takes a processor for some time.
const TURNS: usize = 2;
/// Namespaces that one may name.
const NAMESPACES: usize = 256;

/// The service. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    nodes: Nodes,
    identity: Arc<Identity>,
    anomalies: Anomalies,
    turns: Arc<Semaphore>,
}

impl Graph {
    pub(crate) fn new(nodes: Nodes, identity: Arc<Identity>, anomalies: Anomalies) -> Self {
        Self {
            nodes,
            identity,
            anomalies,
            turns: Arc::new(Semaphore::new(TURNS)),
        }
    }

    fn make(&self, asked: &Asked) -> v1::GetGraphResponse {
        let cursor = self.anomalies.cursor();
        let mut builder = Builder::new(asked, &self.identity);
        builder.pods(self.identity.living(), &self.nodes.covered());
        builder.contained(&self.nodes.containments());
        builder.edges(&self.nodes.edges());
        builder.burn(self.anomalies.burning(asked.seen.as_deref()));
        v1::GetGraphResponse {
            cursor,
            ..builder.end()
        }
    }
}

#[tonic::async_trait]
impl graph_server::Graph for Graph {
    async fn get(
        &self,
        request: Request<v1::GetGraphRequest>,
    ) -> Result<Response<v1::GetGraphResponse>, Status> {
        let scope = access::scope(&request)?;
        let request = request.into_inner();
        if request.namespaces.len() > NAMESPACES {
            return Err(Status::invalid_argument(format!(
                "the request names more than {NAMESPACES} namespaces; name fewer, or none for all"
            )));
        }
        for namespace in &request.namespaces {
            scope.see_namespace(namespace)?;
        }
        let detail = match request.detail() {
            v1::Detail::Unspecified => v1::Detail::Namespaces,
            detail => detail,
        };
        let seen = scope.namespaces().map(<[String]>::to_vec);
        let chosen = match request.namespaces.is_empty() {
            true => seen.clone(),
            false => Some(request.namespaces),
        };
        let asked = Asked {
            detail,
            seen,
            chosen,
        };
        let gone = || Status::unavailable("the collector is shutting down");
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| gone())?;
        let graph = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            graph.make(&asked)
        });
        Ok(Response::new(made.await.map_err(|_| gone())?))
    }
}
