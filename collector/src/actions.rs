//! `picket.v1.Actions`: relays commands to agents, and tells what a policy is made of.

use std::{net::IpAddr, sync::Arc, time::Duration};

use api::{
    command, containment, encoding, pods,
    policy::{Policy, Time},
    v1::{self, actions_server},
};
use tokio::{sync::watch, time::timeout};
use tonic::{Request, Response, Status};

use crate::{
    access,
    identity::Identity,
    nodes::{Nodes, RelayError},
};

/// For the agent to say what becomes of a command.
const PATIENCE: Duration = Duration::from_secs(10);
/// Edges of one answer.
const EDGES: usize = 1024;

/// Relays, and never decides: what an agent obeys is what an operator has signed.
#[derive(Debug)]
pub(crate) struct Actions {
    pub(crate) nodes: Nodes,
    pub(crate) identity: Arc<Identity>,
    /// As agents are told.
    pub(crate) policy: watch::Receiver<Option<v1::Policy>>,
}

#[tonic::async_trait]
impl actions_server::Actions for Actions {
    async fn command(
        &self,
        request: Request<v1::SignedCommand>,
    ) -> Result<Response<v1::CommandOutcome>, Status> {
        let scope = access::scope(&request)?;
        let signed = request.into_inner();
        if encoding::size(&signed) > command::LARGEST {
            return Err(Status::invalid_argument("the command is too large"));
        }
        let said = command::said(&signed);
        let said = said.ok_or_else(|| Status::invalid_argument("that is no picket.v1.Command"))?;
        scope.see_namespace(&said.namespace)?;
        let node = said.node.clone();
        let outcome = self.nodes.relay(&node, &said.id, signed).map_err(failed)?;
        match timeout(PATIENCE, outcome).await {
            Ok(Ok(outcome)) if outcome.obeyed => Ok(Response::new(outcome)),
            Ok(Ok(outcome)) => Err(Status::failed_precondition(outcome.reason)),
            Ok(Err(_)) => Err(Status::unavailable(format!(
                "the agent of node `{node}` went away; what became of the command, `picket contain --list` tells"
            ))),
            Err(_) => {
                self.nodes.forget(&node, &said.id);
                Err(Status::deadline_exceeded(format!(
                    "the agent of node `{node}` does not say what became of the command; `picket contain --list` tells"
                )))
            }
        }
    }

    async fn list_containments(
        &self,
        request: Request<v1::ListContainmentsRequest>,
    ) -> Result<Response<v1::ListContainmentsResponse>, Status> {
        let scope = access::scope(&request)?;
        let mut containments = self.nodes.containments();
        containments.retain(|it| scope.sees_namespace(&it.namespace));
        Ok(Response::new(v1::ListContainmentsResponse { containments }))
    }

    async fn describe(
        &self,
        request: Request<v1::DescribeRequest>,
    ) -> Result<Response<v1::DescribeResponse>, Status> {
        let scope = access::scope(&request)?;
        let v1::DescribeRequest { namespace, pod } = request.into_inner();
        scope.see_namespace(&namespace)?;
        let known = self.identity.pod_named(&namespace, &pod);
        let pod = known.ok_or_else(|| {
            Status::not_found(format!(
                "no pod {namespace}/{pod} is known; `kubectl get pods -A` lists what there is"
            ))
        })?;
        let protected = self.containment().protection(&pod);
        Ok(Response::new(v1::DescribeResponse {
            protected: protected.unwrap_or_default(),
            pod: Some(pod.clone()),
            ..self.edges(&pod)
        }))
    }
}

impl Actions {
    /// How agents are told to be set.
    fn containment(&self) -> containment::Settings {
        let policy = self.policy.borrow();
        let told = policy.as_ref().and_then(|it| {
            // It was read before it was told.
            Policy::read(&it.name, &it.text, Time::Before, &[]).ok()
        });
        told.map(|it| it.containment).unwrap_or_default()
    }

    /// Whom the pod talked to, and who talked to it: the one is what its agent saw, the other what those of
    /// all nodes did.
    fn edges(&self, pod: &v1::Pod) -> v1::DescribeResponse {
        let own: Vec<IpAddr> = addresses(pod).collect();
        let key = pods::key(pod);
        let mut edges = Vec::new();
        let (mut further, mut crowded_pods) = (0, 0);
        for seen in self.nodes.edges() {
            let other = v1::Pod {
                namespace: seen.namespace,
                name: seen.pod,
                uid: seen.uid,
                ..v1::Pod::default()
            };
            let is_own = pods::key(&other) == key;
            match is_own {
                true => further += seen.further,
                false => crowded_pods += u32::from(seen.further > 0),
            }
            for edge in seen.edges {
                let address = pods::address_of(&edge.address);
                if is_own {
                    edges.push(self.named(edge));
                } else if address.is_some_and(|it| own.contains(&it)) {
                    edges.push(self.inbound(edge, &other));
                }
            }
        }
        let left = edges.len().saturating_sub(EDGES);
        edges.truncate(EDGES);
        v1::DescribeResponse {
            edges,
            further: further + left as u64,
            crowded_pods,
            ..v1::DescribeResponse::default()
        }
    }

    fn named(&self, mut edge: v1::Edge) -> v1::Edge {
        let mut endpoint = v1::Endpoint {
            address: edge.address.clone(),
            ..v1::Endpoint::default()
        };
        self.identity.name(&mut endpoint);
        edge.namespace = endpoint.namespace;
        edge.pod = endpoint.pod;
        edge.service = endpoint.service;
        edge.labels = endpoint.labels;
        edge
    }

    fn inbound(&self, edge: v1::Edge, by: &v1::Pod) -> v1::Edge {
        let known = self.identity.pod_named(&by.namespace, &by.name);
        let address = known
            .as_ref()
            .and_then(|pod| pod.addresses.first().cloned());
        v1::Edge {
            address: address.unwrap_or_default(),
            namespace: by.namespace.clone(),
            pod: by.name.clone(),
            service: String::new(),
            labels: known.map(|pod| pod.labels).unwrap_or_default(),
            outbound: false,
            ..edge
        }
    }
}

fn addresses(pod: &v1::Pod) -> impl Iterator<Item = IpAddr> {
    let addresses = pod.addresses.iter();
    addresses.filter_map(|text| pods::address_of(text))
}

fn failed(error: RelayError) -> Status {
    let message = error.to_string();
    match error {
        RelayError::Away { .. } => Status::unavailable(message),
        RelayError::Old { .. } => Status::failed_precondition(message),
        RelayError::Busy { .. } => Status::resource_exhausted(message),
        RelayError::Twice { .. } => Status::already_exists(message),
    }
}
