//! What the loop counts.

use api::v1;
use detect::Observation;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Counters and gauges of the loop.
#[derive(Debug)]
pub struct Metrics {
    pub(super) trips: Counter,
    pub(super) refused_interfaces: Counter,
    pub(super) repairs: Counter,
    pub(super) drain_seconds: Histogram,
    initiating_packets: Counter,
    records: Counter,
    records_dropped: Counter,
    records_stray: Counter,
    parse_failures: Counter,
    forgotten_evidence: Counter,
    slots_used: Gauge,
    slots_capacity: Gauge,
    unwatched_interfaces: Gauge,
}

impl Metrics {
    /// Adds them to `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            trips: Counter::default(),
            refused_interfaces: Counter::default(),
            repairs: Counter::default(),
            drain_seconds: Histogram::new([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]),
            initiating_packets: Counter::default(),
            records: Counter::default(),
            records_dropped: Counter::default(),
            records_stray: Counter::default(),
            parse_failures: Counter::default(),
            forgotten_evidence: Counter::default(),
            slots_used: Gauge::default(),
            slots_capacity: Gauge::default(),
            unwatched_interfaces: Gauge::default(),
        };
        let mut add = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        add(
            "trips",
            "Times a pod spent a budget and its slot was read at once",
            &metrics.trips,
        );
        add(
            "refused_interfaces",
            "Times an interface got no slot or the programs could not be attached to it",
            &metrics.refused_interfaces,
        );
        add(
            "repairs",
            "Times a program was found detached, or behind one of others, and was attached again",
            &metrics.repairs,
        );
        add(
            "initiating_packets",
            "Packets with which pods initiated, retries included",
            &metrics.initiating_packets,
        );
        add(
            "records",
            "First contacts and outcomes read from the ring buffer",
            &metrics.records,
        );
        add(
            "dropped_records",
            "Records beyond the cap of a slot or the ring buffer",
            &metrics.records_dropped,
        );
        add(
            "parse_failures",
            "Packets that could not be parsed",
            &metrics.parse_failures,
        );
        add(
            "stray_records",
            "Records of interfaces that were gone when they were read",
            &metrics.records_stray,
        );
        add(
            "forgotten_evidence",
            "Ports of destinations and awaited answers that a detector had no room for",
            &metrics.forgotten_evidence,
        );
        let mut add = |name: &str, help: &str, gauge: &Gauge| {
            registry.register(name, help, gauge.clone());
        };
        add(
            "slots_used",
            "Interfaces that are watched",
            &metrics.slots_used,
        );
        add(
            "slots_capacity",
            "Interfaces that can be watched at once",
            &metrics.slots_capacity,
        );
        add(
            "unwatched_interfaces",
            "Interfaces that should be watched and are not",
            &metrics.unwatched_interfaces,
        );
        registry.register(
            "drain_seconds",
            "How long it takes to drain all slots",
            metrics.drain_seconds.clone(),
        );
        metrics
    }

    pub(super) fn count(&self, observation: &Observation) {
        self.initiating_packets
            .inc_by(observation.initiating_packets);
        self.records.inc_by(observation.contacts.len() as u64);
        self.records_dropped.inc_by(observation.records_dropped);
        self.parse_failures.inc_by(observation.parse_failures);
    }

    /// Takes in what others count since the start.
    pub(super) fn report(&self, status: &v1::NodeStatus, stray_records: u64, forgotten: u64) {
        raise_to(&self.records_stray, stray_records);
        raise_to(&self.forgotten_evidence, forgotten);
        self.slots_used.set(status.slots.len() as i64);
        self.slots_capacity.set(status.slots_capacity.into());
        self.unwatched_interfaces.set(status.unwatched.len() as i64);
    }
}

fn raise_to(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}
