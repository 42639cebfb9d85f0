//! What a process tells does not grow with the node's pods.

use std::collections::BTreeSet;

use api::{
    policy::{Exception, Policy},
    v1,
};
use detect::{Class, Count, Observation, ParseFailure, Subject};
use prometheus_client::{encoding::text, registry::Registry};

use crate::{deliver::Outbox, metrics::Metrics, policy::Hits};

const PODS: u32 = 1_000_000;
/// As many as a policy may have.
const EXCEPTIONS: usize = 100;
/// Of one process, whatever the node is.
const MOST: usize = 200;

fn series(registry: &Registry) -> BTreeSet<String> {
    let mut text = String::new();
    text::encode(&mut text, registry).unwrap();
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    let series = lines.filter_map(|it| Some(it.rsplit_once(' ')?.0.to_owned()));
    series.collect()
}

/// Of a pod of its own.
fn event(index: u32) -> v1::Event {
    v1::Event {
        anomaly_id: format!("node/1/{index}"),
        detector: detect::DETECTORS[index as usize % detect::DETECTORS.len()].into(),
        source: Some(v1::Endpoint {
            namespace: format!("namespace-{}", index % 1000),
            pod: format!("pod-{index}"),
            uid: format!("uid-{index}"),
            ..v1::Endpoint::default()
        }),
        ..v1::Event::default()
    }
}

fn observation(index: u32) -> Observation {
    let mut observation = Observation::empty(Subject {
        ifindex: index,
        epoch: index,
    });
    observation.initiated[index as usize % Class::ALL.len()] = 1;
    observation.counts[index as usize % Count::ALL.len()] = 1;
    observation.unparsed[index as usize % ParseFailure::ALL.len()] = 1;
    observation
}

#[test]
fn a_million_pods_make_no_series() {
    let (registry, metrics) = Metrics::new();
    let before = series(&registry);
    let outbox = Outbox::standalone(metrics.deliver.clone());
    for index in 0..PODS {
        outbox.raise(event(index));
        // It takes a hundred times as long, and no observation holds a name.
        if index % 100 == 0 {
            metrics.sentry.count(&observation(index / 100));
        }
    }
    let after = series(&registry);
    assert_eq!(before, after);

    // What an operator names has series of its own, up to a bound.
    let exceptions = (0..EXCEPTIONS).map(|index| Exception {
        name: format!("exception-{index}"),
        ..Exception::default()
    });
    let policy = Policy {
        exceptions: exceptions.collect(),
        ..Policy::default()
    };
    let mut hits = Hits::new(metrics.policy.clone());
    hits.follow(&policy);
    for index in 0..EXCEPTIONS {
        hits.add(&format!("exception-{index}"));
    }
    let named = series(&registry);
    assert!(named.len() > after.len());
    assert!(named.len() <= MOST, "{} series", named.len());
}
