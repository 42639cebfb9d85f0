//! All that the collector counts, in one registry.

use std::fmt;

use prometheus_client::{encoding::text, registry::Registry};

use crate::{identity, ingest, nodes, store, subscribe};

/// Before every name.
const PREFIX: &str = "picket_collector";

/// A metric as it is exposed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// As a query names it: a counter with its `_total`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it tells.
    pub help: String,
}

/// Every metric of the collector, by name.
///
/// # Errors
/// When the metrics cannot be written as text.
pub fn describe() -> Result<Vec<Description>, fmt::Error> {
    let (registry, _) = Metrics::new();
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    let mut descriptions: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP "))
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, help)| describe_one(&text, name, help))
        .collect();
    descriptions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(descriptions)
}

fn describe_one(text: &str, name: &str, help: &str) -> Option<Description> {
    let kind = text.lines().find_map(|line| {
        line.strip_prefix("# TYPE ")?
            .strip_prefix(name)?
            .strip_prefix(' ')
    })?;
    let suffix = if kind == "counter" { "_total" } else { "" };
    Some(Description {
        name: format!("{name}{suffix}"),
        kind: kind.into(),
        help: help.into(),
    })
}

/// What each room counts.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) identity: identity::Metrics,
    pub(crate) ingest: ingest::Metrics,
    pub(crate) nodes: nodes::Metrics,
    pub(crate) store: store::Metrics,
    pub(crate) subscribe: subscribe::Metrics,
}

impl Metrics {
    pub(crate) fn new() -> (Registry, Self) {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = Self {
            identity: identity::Metrics::new(&mut registry),
            ingest: ingest::Metrics::new(&mut registry),
            nodes: nodes::Metrics::new(&mut registry),
            store: store::Metrics::new(&mut registry),
            subscribe: subscribe::Metrics::new(&mut registry),
        };
        (registry, metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_described_once_under_the_collectors_name() {
        let described = describe().unwrap();
        let names: Vec<_> = described.iter().map(|it| it.name.as_str()).collect();
        assert!(
            names.contains(&"picket_collector_stored_events_total"),
            "{names:?}"
        );
        assert!(
            names.contains(&"picket_collector_commit_duration_seconds"),
            "{names:?}"
        );
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for metric in described {
            assert!(metric.name.starts_with("picket_collector_"), "{metric:?}");
            assert!(
                metric.help.ends_with('.') && metric.help.len() > 10,
                "{metric:?}"
            );
            let counts = metric.name.ends_with("_total");
            assert_eq!(metric.kind == "counter", counts, "{metric:?}");
        }
    }
}
