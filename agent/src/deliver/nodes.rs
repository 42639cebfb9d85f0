//! `picket.v1.Nodes` of one agent: itself.

use std::time::SystemTime;

use api::v1::{self, nodes_server::Nodes};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::outbox::Outbox;

/// Serves the status of one node.
#[derive(Debug)]
pub(super) struct Itself {
    pub(super) node: String,
    pub(super) outbox: Outbox,
    pub(super) status: watch::Receiver<v1::NodeStatus>,
}

#[tonic::async_trait]
impl Nodes for Itself {
    async fn list(
        &self,
        _: Request<v1::ListNodesRequest>,
    ) -> Result<Response<v1::ListNodesResponse>, Status> {
        #[expect(clippy::disallowed_methods, reason = "the answer is of this moment")]
        let now = SystemTime::now();
        let status = self.outbox.complete(self.status.borrow().clone());
        let node = v1::Node {
            name: self.node.clone(),
            connected: true,
            last_seen: Some(now.into()),
            agent_version: env!("CARGO_PKG_VERSION").into(),
            status: Some(status),
            clock_ahead: None,
        };
        Ok(Response::new(v1::ListNodesResponse {
            nodes: vec![node],
            policy: None,
        }))
    }

    async fn test(
        &self,
        _: Request<v1::TestNodesRequest>,
    ) -> Result<Response<v1::TestNodesResponse>, Status> {
        Err(Status::unimplemented(
            "an agent is tested by way of the collector, which hands its event on",
        ))
    }
}
