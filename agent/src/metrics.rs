//! All that the agent counts, in one registry.

use std::fmt;

use prometheus_client::{encoding::text, registry::Registry};

use crate::{deliver, interfaces, sentry};

/// Before every name.
const PREFIX: &str = "picket_agent";

/// What each room counts.
#[derive(Debug)]
pub struct Metrics {
    /// Events on their way out.
    pub deliver: deliver::Metrics,
    /// What netlink tells.
    pub interfaces: interfaces::Metrics,
    /// The loop between.
    pub sentry: sentry::Metrics,
}

impl Metrics {
    /// All of them at zero, and the registry that shows them.
    #[must_use]
    pub fn new() -> (Registry, Self) {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = Self {
            deliver: deliver::Metrics::register(&mut registry),
            interfaces: interfaces::Metrics::register(&mut registry),
            sentry: sentry::Metrics::register(&mut registry),
        };
        (registry, metrics)
    }
}

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

/// Every metric of the agent, by name.
///
/// # Errors
/// When the metrics cannot be written as text.
pub fn describe() -> Result<Vec<Description>, fmt::Error> {
    let (registry, _) = Metrics::new();
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    let lines = |prefix: &'static str| {
        text.lines()
            .filter_map(move |line| line.strip_prefix(prefix)?.split_once(' '))
    };
    let mut descriptions: Vec<_> = lines("# HELP ")
        .filter_map(|(name, help)| {
            let (_, kind) = lines("# TYPE ").find(|(of, _)| *of == name)?;
            let suffix = if kind == "counter" { "_total" } else { "" };
            Some(Description {
                name: format!("{name}{suffix}"),
                kind: kind.into(),
                help: help.into(),
            })
        })
        .collect();
    descriptions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(descriptions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_described_once_under_the_agents_name() {
        let described = describe().unwrap();
        let names: Vec<_> = described.iter().map(|it| it.name.as_str()).collect();
        for name in [
            "picket_agent_dropped_events_total",
            "picket_agent_dropped_records_total",
            "picket_agent_netlink_overruns_total",
            "picket_agent_slots_used",
        ] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for metric in described {
            assert!(metric.name.starts_with("picket_agent_"), "{metric:?}");
            assert!(metric.help.ends_with('.'), "{metric:?}");
            let counts = metric.name.ends_with("_total");
            assert_eq!(metric.kind == "counter", counts, "{metric:?}");
        }
    }
}
