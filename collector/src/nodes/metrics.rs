//! How many nodes are connected, and how well they find what they scan themselves.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::canary::Canary;

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(super) connected: Gauge,
    pub(super) refused: Counter,
    canaries: Family<ByState, Gauge>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByState {
    state: &'static str,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let connected = Gauge::default();
        registry.register(
            "connected_nodes",
            "Nodes whose agent is connected",
            connected.clone(),
        );
        let refused = Counter::default();
        registry.register(
            "refused_statuses",
            "Accounts of themselves by agents that were too large to be kept",
            refused.clone(),
        );
        let canaries = Family::default();
        registry.register(
            "canary_nodes",
            "Nodes by how the agent's last scan of itself went; of those that are away it is overdue",
            canaries.clone(),
        );
        let metrics = Self {
            connected,
            refused,
            canaries,
        };
        metrics.count([]);
        metrics
    }

    pub(super) fn count(&self, states: impl IntoIterator<Item = Canary>) {
        let mut counts = Canary::ALL.map(|_| 0);
        for state in states {
            counts[state as usize] += 1;
        }
        for state in Canary::ALL {
            let label = ByState {
                state: state.name(),
            };
            let gauge = self.canaries.get_or_create(&label);
            gauge.set(counts[state as usize]);
        }
    }
}
