//! Asks the server for a snapshot.

use std::time::SystemTime;

use api::v1::{
    AnomalyDetails, AnomalyFilter, AnomalyState, Detail, GetGraphRequest, ListAnomaliesRequest,
    ListDetectorsResponse,
};

use super::snapshot::Snapshot;
use crate::{
    filter::{FilterArguments, Rest},
    server::{Server, ServerError},
};

/// Nobody looks through more of them on a terminal.
const ANOMALIES: u32 = 200;

const DETECTOR: &str = "port_scan";
const THRESHOLD: &str = "ports_per_minute";

#[derive(Clone, Debug)]
pub(super) struct Fetch {
    server: Server,
    filter: AnomalyFilter,
    rest: Rest,
}

impl Fetch {
    pub(super) fn new(server: &Server, filter: FilterArguments, now: SystemTime) -> Self {
        let (filter, rest) = filter.of_anomalies(now);
        let filter = AnomalyFilter {
            states: vec![AnomalyState::Open.into()],
            ..filter
        };
        Self {
            server: server.clone(),
            filter,
            rest,
        }
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot, ServerError> {
        let request = ListAnomaliesRequest {
            filter: Some(self.filter.clone()),
            offset: 0,
            page_size: ANOMALIES,
        };
        let mut anomalies = self.server.anomalies(request).await?;
        anomalies.anomalies.retain(|it| {
            let state = api::names::anomaly_state(it.state());
            it.last
                .as_ref()
                .is_some_and(|last| self.rest.passes(last, &state))
        });
        let request = GetGraphRequest {
            namespaces: self.filter.namespaces.clone(),
            detail: Detail::Workloads.into(),
        };
        let graph = self.server.graph(request).await?;
        let nodes = match self.server.nodes().await {
            Ok(listed) => Ok(listed.nodes),
            Err(ServerError::Forbidden { message, .. }) => Err(message),
            Err(error) => return Err(error),
        };
        let ports_per_minute = match self.server.detectors().await {
            Ok(listed) => threshold(&listed),
            Err(ServerError::Forbidden { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Snapshot {
            anomalies,
            graph,
            nodes,
            ports_per_minute,
        })
    }

    pub(super) async fn details(&self, id: String) -> Result<AnomalyDetails, ServerError> {
        self.server.anomaly(id).await
    }
}

fn threshold(listed: &ListDetectorsResponse) -> Option<u32> {
    let detector = listed.detectors.iter().find(|it| it.id == DETECTOR)?;
    let threshold = detector.thresholds.iter().find(|it| it.key == THRESHOLD)?;
    threshold.value.parse().ok()
}
