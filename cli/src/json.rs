//! Objects for machines: the messages of the wire under stable names.

pub(crate) use api::json::{Canary, Finding, Policy, Quarantine};
use api::{
    json::{Anomalies, Anomaly, Containment, Event, Gap, Node, Outcome},
    v1,
};
use serde::Serialize;

/// What it is, beside what it says.
#[derive(Serialize)]
pub(crate) struct Kind<T> {
    pub(crate) kind: &'static str,
    #[serde(flatten)]
    pub(crate) body: T,
}

pub(crate) fn event(event: &v1::Event) -> impl Serialize {
    kind("event", Event::new(event))
}

pub(crate) fn gap(gap: &v1::Gap) -> impl Serialize {
    kind("gap", Gap::new(gap))
}

pub(crate) fn anomaly(anomaly: &v1::Anomaly) -> impl Serialize {
    kind("anomaly", Anomaly::new(anomaly))
}

/// Without a kind, as the others that are one answer as a whole.
pub(crate) fn anomalies(listed: &v1::ListAnomaliesResponse) -> impl Serialize {
    Anomalies::new(listed)
}

pub(crate) fn node(node: &v1::Node) -> impl Serialize {
    kind("node", Node::new(node))
}

pub(crate) fn containment(containment: &v1::Containment) -> impl Serialize {
    kind("containment", Containment::new(containment))
}

pub(crate) fn outcome(outcome: &v1::CommandOutcome) -> impl Serialize {
    kind("outcome", Outcome::new(outcome))
}

pub(crate) fn quarantine(quarantine: &Quarantine<'_>) -> impl Serialize {
    kind("quarantine", quarantine)
}

pub(crate) const fn kind<T>(kind: &'static str, body: T) -> Kind<T> {
    Kind { kind, body }
}
