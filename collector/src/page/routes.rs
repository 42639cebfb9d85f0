//! Which path asks what. Each handler asks the service that gRPC asks.

use api::{
    json, quarantine,
    v1::{
        self, actions_server::Actions as _, anomalies_server::Anomalies as _,
        detectors_server::Detectors as _, graph_server::Graph as _, nodes_server::Nodes as _,
    },
};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;

use super::{
    answer::{Refused, found},
    ask, caller, changes,
    shared::Shared,
    stream,
};
use crate::access::Caller;

/// A policy is the largest thing that is asked.
const LARGEST: usize = api::policy::LARGEST * 2;

type Answer = Result<Response, Refused>;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route(
            "/api/v1/caller",
            get(caller::show)
                .post(caller::sign_in)
                .delete(caller::sign_out),
        )
        .route("/api/v1/anomalies", get(anomalies))
        .route("/api/v1/anomalies/{id}", get(anomaly))
        .route("/api/v1/anomalies/{id}/triage", post(triage))
        .route("/api/v1/graph", get(graph))
        .route("/api/v1/detectors", get(detectors).put(set))
        .route("/api/v1/detectors/preview", post(preview))
        .route("/api/v1/detectors/edit", post(changes::edited))
        .route("/api/v1/nodes", get(nodes))
        .route("/api/v1/containments", get(containments))
        .route("/api/v1/pods/{namespace}/{pod}", get(pod))
        .route("/api/v1/pods/{namespace}/{pod}/policy", get(policy))
        .route("/api/v1/commands", post(command))
        .route("/api/v1/stream", get(stream::stream))
        .layer(DefaultBodyLimit::max(LARGEST))
}

async fn anomalies(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answer {
    let request = ask::request(ask::anomalies(query.as_deref())?, caller);
    let listed = shared.services.anomalies.list(request).await?.into_inner();
    Ok(found(&json::Anomalies::new(&listed)))
}

async fn anomaly(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    let request = ask::request(v1::GetAnomalyRequest { id }, caller);
    let details = shared.services.anomalies.get(request).await?.into_inner();
    Ok(found(&json::Details::new(&details)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triage {
    kind: String,
    #[serde(default)]
    assignee: String,
    #[serde(default)]
    note: String,
}

async fn triage(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(anomaly_id): Path<String>,
    body: Bytes,
) -> Answer {
    let Triage {
        kind,
        assignee,
        note,
    } = ask::body(&body)?;
    let kind = ask::word("kind", &kind, "TRIAGE_KIND_", v1::TriageKind::from_str_name)?;
    let triage = Some(v1::Triage {
        anomaly_id,
        kind: kind.into(),
        assignee,
        note,
        by: String::new(),
    });
    let request = ask::request(v1::TriageRequest { triage }, caller);
    let event = shared
        .services
        .anomalies
        .triage(request)
        .await?
        .into_inner();
    Ok(found(&json::Event::new(&event)))
}

async fn graph(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Answer {
    let request = ask::request(ask::graph(query.as_deref())?, caller);
    let graph = shared.services.graph.get(request).await?.into_inner();
    Ok(found(&json::Graph::new(&graph)))
}

async fn detectors(State(shared): State<Shared>, Extension(caller): Extension<Caller>) -> Answer {
    let request = ask::request(v1::ListDetectorsRequest {}, caller);
    let listed = shared.services.detectors.list(request).await?.into_inner();
    Ok(found(&json::Detectors::new(&listed)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    text: String,
    #[serde(default)]
    replaces: String,
}

async fn preview(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let Policy { text, .. } = ask::body(&body)?;
    let request = ask::request(v1::PreviewPolicyRequest { text }, caller);
    let preview = shared
        .services
        .detectors
        .preview(request)
        .await?
        .into_inner();
    Ok(found(&json::Preview::new(&preview)))
}

async fn set(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let Policy { text, replaces } = ask::body(&body)?;
    let request = ask::request(v1::SetPolicyRequest { text, replaces }, caller);
    let set = shared.services.detectors.set(request).await?.into_inner();
    Ok(found(&json::Set::new(&set)))
}

async fn nodes(State(shared): State<Shared>, Extension(caller): Extension<Caller>) -> Answer {
    let request = ask::request(v1::ListNodesRequest {}, caller);
    let listed = shared.services.nodes.list(request).await?.into_inner();
    Ok(found(&json::Nodes::new(&listed)))
}

async fn containments(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> Answer {
    let request = ask::request(v1::ListContainmentsRequest {}, caller);
    let actions = &shared.services.actions;
    let listed = actions.list_containments(request).await?.into_inner();
    Ok(found(&json::Containments::new(&listed)))
}

async fn pod(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((namespace, pod)): Path<(String, String)>,
) -> Answer {
    let request = ask::request(v1::DescribeRequest { namespace, pod }, caller);
    let described = shared
        .services
        .actions
        .describe(request)
        .await?
        .into_inner();
    Ok(found(&json::Described::new(&described)))
}

async fn policy(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((namespace, pod)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer {
    let allowed = ask::allowed(query.as_deref())?;
    let request = ask::request(v1::DescribeRequest { namespace, pod }, caller);
    let described = shared
        .services
        .actions
        .describe(request)
        .await?
        .into_inner();
    let refused = |refusal: quarantine::Refusal| Status::failed_precondition(refusal.to_string());
    quarantine::selects(&described).map_err(refused)?;
    let text = quarantine::render(&described, &allowed, None).join("\n");
    let passes = |edge: &v1::Edge| allowed.passes(edge);
    let policy = json::Quarantine::new(&described, passes, None, text);
    Ok(found(&policy))
}

/// Bytes are base64, as protobuf writes them in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    command: String,
    certificates: Vec<String>,
    signature: String,
}

async fn command(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let given: Command = ask::body(&body)?;
    let bytes = |field: &str, text: &str| {
        let bytes = api::base64::decode(text);
        bytes.ok_or_else(|| Status::invalid_argument(format!("{field} is no base64")))
    };
    let certificates = given.certificates.iter();
    let certificates: Result<_, _> = certificates.map(|it| bytes("a certificate", it)).collect();
    let signed = v1::SignedCommand {
        command: bytes("command", &given.command)?,
        certificates: certificates?,
        signature: bytes("signature", &given.signature)?,
    };
    let request = ask::request(signed, caller);
    let outcome = shared.services.actions.command(request).await?.into_inner();
    Ok(found(&json::Outcome::new(&outcome)))
}
