//! Anomalies, the graph and the detectors, as a collector tells them.

use std::sync::{Arc, Mutex, PoisonError};

use api::{
    transport::Listen,
    v1::{
        Anomaly, AnomalyDetails, AnomalyState, Burning, Detector, Endpoint, Event,
        GetAnomalyRequest, GetGraphRequest, GetGraphResponse, Link, LinkPort, ListAnomaliesRequest,
        ListAnomaliesResponse, ListDetectorsRequest, ListDetectorsResponse, PreviewPolicyRequest,
        PreviewPolicyResponse, SetPolicyRequest, SetPolicyResponse, Severity, Transport,
        TriageRequest, TriageState,
        anomalies_server::{Anomalies, AnomaliesServer},
        detectors_server::{Detectors, DetectorsServer},
        graph_server::{Graph, GraphServer},
    },
};
use tempfile::TempDir;
use tonic::{Request, Response, Status, async_trait};

use crate::process::{answer, run};

const ID: &str = "n1/7/port_scan/1";

/// A collector that tells the same to everybody, and remembers what it was asked.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<ListAnomaliesRequest>>>);

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
        asked.push(request.into_inner());
        Ok(Response::new(ListAnomaliesResponse {
            anomalies: vec![anomaly()],
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

async fn serve(told: &Told) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let listen = Listen::Unix(folder.path().join("socket"));
    let incoming = listen.bind().await.unwrap();
    let address = incoming.local().to_string();
    let server = tonic::transport::Server::builder()
        .add_service(AnomaliesServer::new(told.clone()))
        .add_service(GraphServer::new(told.clone()))
        .add_service(DetectorsServer::new(told.clone()));
    tokio::spawn(server.serve_with_incoming(incoming));
    (folder, address)
}

#[tokio::test]
async fn each_is_told_in_the_form_that_is_asked_for() {
    let (_folder, server) = serve(&Told::default()).await;
    for (arguments, expected) in [
        (
            &["anomalies"][..],
            &["blue/app1", "high", "acknowledged", ID, "1 of 2"][..],
        ),
        (&["anomalies", "-o", "wide"], &["scans\u{fffd}[2J"]),
        (&["anomalies", "-o", "json"], &["\"severity\":\"high\""]),
        (&["explain", ID], &["scans\u{fffd}[2J", "port_scan", "open"]),
        (&["explain", ID, "-o", "yaml"], &["  id: \"n1/7"]),
        (
            &["graph"],
            &["pod/blue//app1", "tcp/5432,tcp/22?", "1 high"],
        ),
        (&["graph", "-o", "json"], &["\"declared\":true"]),
        (&["detectors"], &["port_scan", "shadow"]),
        (&["detectors", "-o", "yaml"], &["mode: \"shadow\""]),
    ] {
        let text = answer(&[&["--server", &server], arguments].concat()).await;
        for expected in expected {
            assert!(
                text.contains(expected),
                "{arguments:?}: {expected} is not in\n{text}"
            );
        }
        assert!(!text.contains('\u{1b}'), "{arguments:?}: {text:?}");
    }
}

#[tokio::test]
async fn what_is_asked_for_is_what_the_collector_filters() {
    let told = Told::default();
    let (_folder, server) = serve(&told).await;
    let arguments = [
        "--server",
        &server,
        "anomalies",
        "-n",
        "blue",
        "--severity",
        "high",
        "--state",
        "open",
        "--triage",
        "new",
        "--text",
        "scan",
        "--shadow",
        "--limit",
        "5",
    ];
    answer(&arguments).await;
    let asked = told
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(0);
    let filter = asked.filter.unwrap();
    assert_eq!(asked.page_size, 5);
    assert_eq!(
        (&filter.namespaces[..], &filter.text[..]),
        (&["blue".to_owned()][..], "scan")
    );
    assert_eq!(filter.severities, [i32::from(Severity::High)]);
    assert_eq!(filter.states, [i32::from(AnomalyState::Open)]);
    assert_eq!(filter.triage, [i32::from(TriageState::New)]);
    assert!(filter.include_shadow);
}

#[tokio::test]
async fn an_anomaly_that_is_not_there_is_told_of_by_its_name() {
    let (_folder, server) = serve(&Told::default()).await;
    let output = run(&["--server", &server, "explain", "nobody"]).await;
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("`nobody`"), "{errors}");
}
