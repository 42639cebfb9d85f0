//! `picket.v1.Detectors`: how the detectors of all nodes are set, what they do, and what another policy would have
//! made of the last day.

mod list;
mod preview;
mod write;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use api::{
    policy::{Policy, Refused, Time, revision},
    v1::{self, detectors_server},
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use self::preview::Preview;
pub(crate) use self::write::Place;
pub use self::write::{ConfigMap, ConfigMapError};
use crate::{access, anomalies::Anomalies, correlate, nodes::Nodes, policy::Told};

/// As far back as a preview looks.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Events that one looks at, and of those, so many at once.
const LOOKED_AT: usize = 50_000;
const CHUNK: usize = 512;
/// Anomalies that are told to be gone.
const PREVIEWS: usize = 2;

/// The service. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Detectors {
    pub(crate) told: Told,
    pub(crate) place: Arc<Place>,
    pub(crate) correlations: Arc<correlate::Settings>,
    pub(crate) nodes: Nodes,
    pub(crate) anomalies: Anomalies,
    pub(crate) previews: Arc<Semaphore>,
}

impl Detectors {
    pub(crate) fn new(
        told: Told,
        place: Place,
        correlations: correlate::Settings,
        nodes: Nodes,
        anomalies: Anomalies,
    ) -> Self {
        Self {
            told,
            place: Arc::new(place),
            correlations: Arc::new(correlations),
            nodes,
            anomalies,
            previews: Arc::new(Semaphore::new(PREVIEWS)),
        }
    }

    /// What is in force, as an operator wrote it; empty when each agent does what its own configuration says.
    pub(crate) fn text(&self) -> String {
        let policy = self.told.policy.borrow();
        policy
            .as_ref()
            .map(|it| it.text.clone())
            .unwrap_or_default()
    }

    /// What is wrong with a text that is to be in force, a line each.
    pub(crate) fn problems(&self, text: &str) -> Vec<String> {
        let read = Policy::read("policy", text, Time::New { now: now() }, &[]);
        read.map_or_else(|refused| refused.lines().collect(), |_| Vec::new())
    }

    /// What is in force, as far as the collector knows.
    fn in_force(&self) -> Policy {
        Policy::read("the policy", &self.text(), Time::Before, &[]).unwrap_or_default()
    }
}

#[tonic::async_trait]
impl detectors_server::Detectors for Detectors {
    async fn list(
        &self,
        request: Request<v1::ListDetectorsRequest>,
    ) -> Result<Response<v1::ListDetectorsResponse>, Status> {
        let scope = access::scope(&request)?;
        // Exceptions and scopes name namespaces, and activity is of nodes.
        scope.see_nodes()?;
        let policy = self.in_force();
        let text = self.text();
        let allowed = scope.set_detectors().map_err(|it| it.message().to_owned());
        let writable = allowed.and_then(|()| self.place.writable());
        let now = now();
        Ok(Response::new(v1::ListDetectorsResponse {
            detectors: list::detectors(&policy, &self.correlations, self.anomalies.activity()),
            revision: revision_of(&text),
            text,
            writable: writable.is_ok(),
            not_writable: writable.err().unwrap_or_default(),
            exceptions: list::exceptions(&policy, &self.nodes.hits(), now),
            scopes: list::scopes(&policy),
        }))
    }

    async fn preview(
        &self,
        request: Request<v1::PreviewPolicyRequest>,
    ) -> Result<Response<v1::PreviewPolicyResponse>, Status> {
        access::scope(&request)?.see_nodes()?;
        let now = now();
        let policy = read(&request.into_inner().text, now)?;
        let turn = self.previews.acquire().await;
        let _turn = turn.map_err(|_| Status::unavailable("the collector is shutting down"))?;
        let since = now.checked_sub(DAY).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut cursors = self.anomalies.since(since.into());
        let left_out = cursors.len().saturating_sub(LOOKED_AT);
        cursors.drain(..left_out);
        let mut preview = Preview::new(self.in_force(), policy, left_out > 0);
        for chunk in cursors.chunks(CHUNK) {
            for event in self.anomalies.events(chunk.to_vec()).await? {
                preview.take_in(&event, now);
            }
        }
        let mut response = preview.end();
        let covers = self.anomalies.covers(now).await?.min(DAY);
        response.covers = v1::Duration::try_from(covers).ok();
        Ok(Response::new(response))
    }

    async fn set(
        &self,
        request: Request<v1::SetPolicyRequest>,
    ) -> Result<Response<v1::SetPolicyResponse>, Status> {
        let scope = access::scope(&request)?;
        scope.see_nodes()?;
        scope.set_detectors()?;
        let by = scope.principal().to_owned();
        let v1::SetPolicyRequest { text, replaces } = request.into_inner();
        read(&text, now())?;
        self.place.set(&text, &replaces).await?;
        let revision = revision(&text);
        tracing::info!(by, revision, replaces, "the policy was set");
        Ok(Response::new(v1::SetPolicyResponse { revision }))
    }
}

/// Nobody replaces what nobody wrote.
fn revision_of(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    revision(text)
}

/// A policy that somebody writes now.
fn read(text: &str, now: SystemTime) -> Result<Policy, Status> {
    let read = Policy::read("policy", text, Time::New { now }, &[]);
    read.map_err(|refused| Status::invalid_argument(lines(&refused)))
}

/// All that is wrong, a line each.
fn lines(refused: &Refused) -> String {
    let lines: Vec<_> = refused.lines().take(100).collect();
    lines.join("\n")
}

#[expect(clippy::disallowed_methods, reason = "requests own this clock")]
fn now() -> SystemTime {
    SystemTime::now()
}
