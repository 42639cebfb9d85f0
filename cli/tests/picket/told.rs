//! A collector that tells the same anomaly, graph and detectors to everybody.

use std::sync::{Arc, Mutex, PoisonError};

use api::{
    transport::Listen,
    v1::{
        Anomaly, AnomalyDetails, AnomalyState, Burning, Detector, Endpoint, Event,
        GetAnomalyRequest, GetGraphRequest, GetGraphResponse, Link, LinkPort, ListAnomaliesRequest,
        ListAnomaliesResponse, ListDetectorsRequest, ListDetectorsResponse, Node, NodeStatus,
        PreviewPolicyRequest, PreviewPolicyResponse, SetPolicyRequest, SetPolicyResponse, Severity,
        Transport, TriageRequest, TriageState,
        anomalies_server::{Anomalies, AnomaliesServer},
        detectors_server::{Detectors, DetectorsServer},
        events_server::EventsServer,
        graph_server::{Graph, GraphServer},
        nodes_server::NodesServer,
    },
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status, async_trait};

use crate::server::{Kind, Log};

pub(crate) const ID: &str = "n1/7/port_scan/1";

type Serving = JoinHandle<Result<(), tonic::transport::Error>>;

/// A collector that tells the same to everybody, and remembers what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<ListAnomaliesRequest>>>);

fn anomaly() -> Anomaly {
    Anomaly {
        id: ID.into(),
        state: AnomalyState::Open.into(),
        triage: TriageState::Acknowledged.into(),
        events: 3,
        last: Some(Event {
            anomaly_id: ID.into(),
            detector: "port_scan".into(),
            severity: Severity::High.into(),
            source: Some(Endpoint {
                namespace: "blue".into(),
                pod: "app1".into(),
                ..Endpoint::default()
            }),
            summary: "blue/app1 scans\u{1b}[2J".into(),
            ..Event::default()
        }),
        ..Anomaly::default()
    }
}

#[async_trait]
impl Anomalies for Told {
    async fn list(
        &self,
        request: Request<ListAnomaliesRequest>,
    ) -> Result<Response<ListAnomaliesResponse>, Status> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let request = request.into_inner();
        let anomalies = match request.offset {
            0 => vec![anomaly()],
            _ => Vec::new(),
        };
        asked.push(request);
        Ok(Response::new(ListAnomaliesResponse {
            anomalies,
            matching: 2,
            ..ListAnomaliesResponse::default()
        }))
    }

    async fn get(
        &self,
        request: Request<GetAnomalyRequest>,
    ) -> Result<Response<AnomalyDetails>, Status> {
        match &request.into_inner().id[..] {
            ID => Ok(Response::new(AnomalyDetails {
                anomaly: Some(anomaly()),
                ..AnomalyDetails::default()
            })),
            other => Err(Status::not_found(format!("no anomaly is called `{other}`"))),
        }
    }

    async fn triage(&self, _: Request<TriageRequest>) -> Result<Response<Event>, Status> {
        Err(Status::unimplemented("picket never asks"))
    }
}

#[async_trait]
impl Graph for Told {
    async fn get(&self, _: Request<GetGraphRequest>) -> Result<Response<GetGraphResponse>, Status> {
        let port = |port, declared| LinkPort {
            transport: Transport::Tcp.into(),
            port,
            declared,
            service: String::new(),
        };
        Ok(Response::new(GetGraphResponse {
            links: vec![Link {
                source: "pod/blue//app1".into(),
                destination: "pod/red//db".into(),
                ports: vec![port(5432, true), port(22, false)],
                burning: Some(Burning {
                    open: 1,
                    severity: Severity::High.into(),
                    anomalies: vec![ID.into()],
                }),
                ..Link::default()
            }],
            ..GetGraphResponse::default()
        }))
    }
}

#[async_trait]
impl Detectors for Told {
    async fn list(
        &self,
        _: Request<ListDetectorsRequest>,
    ) -> Result<Response<ListDetectorsResponse>, Status> {
        Ok(Response::new(ListDetectorsResponse {
            detectors: vec![Detector {
                id: "port_scan".into(),
                mode: "shadow".into(),
                ..Detector::default()
            }],
            ..ListDetectorsResponse::default()
        }))
    }

    async fn preview(
        &self,
        _: Request<PreviewPolicyRequest>,
    ) -> Result<Response<PreviewPolicyResponse>, Status> {
        Err(Status::unimplemented("picket never asks"))
    }

    async fn set(
        &self,
        _: Request<SetPolicyRequest>,
    ) -> Result<Response<SetPolicyResponse>, Status> {
        Err(Status::unimplemented("picket never asks"))
    }
}

impl Told {
    /// What it was asked first.
    pub(crate) fn asked(&self) -> ListAnomaliesRequest {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.remove(0)
    }
}

/// Serves until the test ends; also events and nodes, of a log.
pub(crate) async fn serve(told: &Told) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let listen = Listen::Unix(folder.path().join("socket"));
    let (address, _) = serve_at(listen, told).await;
    (folder, address)
}

/// The same there, until the task is aborted.
pub(crate) async fn serve_at(listen: Listen, told: &Told) -> (String, Serving) {
    let incoming = listen.bind().await.unwrap();
    let address = incoming.local().to_string();
    let log = Log::of(Kind::Collector);
    log.set_nodes(vec![Node {
        name: "n1".into(),
        connected: true,
        status: Some(NodeStatus::default()),
        ..Node::default()
    }]);
    let server = tonic::transport::Server::builder()
        .add_service(EventsServer::new(log.clone()))
        .add_service(NodesServer::new(log))
        .add_service(AnomaliesServer::new(told.clone()))
        .add_service(GraphServer::new(told.clone()))
        .add_service(DetectorsServer::new(told.clone()));
    (address, tokio::spawn(server.serve_with_incoming(incoming)))
}
