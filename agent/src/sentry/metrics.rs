//! What the loop counts.

use api::v1::{self, ActionKind};
use detect::{Class, Count, Observation, ParseFailure, Volume, VolumeClass};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::containment::{Refusal, Step};

/// Counters and gauges of the loop.
#[derive(Debug)]
pub struct Metrics {
    pub(super) trips: Counter,
    pub(super) refused_interfaces: Counter,
    pub(super) repairs: Counter,
    pub(super) excepted: Counter,
    pub(super) forgotten_interfaces: Counter,
    pub(super) unnamed_anomalies: Counter,
    pub(super) drain_seconds: Histogram,
    initiating_packets: Family<ByClass, Counter>,
    packets: Family<ByKind, Counter>,
    parse_failures: Family<ByReason, Counter>,
    estimated_packets: Family<Crossing, Counter>,
    estimated_bytes: Family<Crossing, Counter>,
    new_ports: Counter,
    records: Counter,
    records_dropped: Counter,
    records_stray: Counter,
    samples: Counter,
    samples_dropped: Counter,
    forgotten_evidence: Counter,
    reply_filter_percent: Gauge,
    slots_used: Gauge,
    slots_capacity: Gauge,
    unwatched_interfaces: Gauge,
    contained_pods: Gauge,
    containment_actions: Family<ByAction, Counter>,
    containment_refusals: Family<ByReason, Counter>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByAction {
    action: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByClass {
    class: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByKind {
    kind: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ByReason {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Crossing {
    direction: &'static str,
    class: &'static str,
}

impl Metrics {
    /// Adds them to `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let mut add = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let metrics = Self {
            trips: add(
                "trips",
                "Times a pod spent a budget and its slot was read at once",
            ),
            refused_interfaces: add(
                "refused_interfaces",
                "Times an interface got no slot or the programs could not be attached to it",
            ),
            repairs: add(
                "repairs",
                "Times a program was found detached, or behind one of others, and was attached again",
            ),
            excepted: add(
                "excepted_events",
                "Events that an exception kept from being raised",
            ),
            forgotten_interfaces: add(
                "forgotten_interfaces",
                "Interfaces that went, and were forgotten before it was known whose they were: too many at once",
            ),
            unnamed_anomalies: add(
                "unnamed_anomalies",
                "Anomalies of pods that were unknown and that will not be told again: too many at once",
            ),
            new_ports: add(
                "new_ports",
                "Ports and IP protocols that were new to what the programs know of a pod",
            ),
            records: add(
                "records",
                "First contacts and outcomes read from their ring",
            ),
            records_dropped: add(
                "dropped_records",
                "Records beyond the cap of a slot or their ring",
            ),
            records_stray: add(
                "stray_records",
                "Records and samples of interfaces that were gone when they were read",
            ),
            samples: add("samples", "Payload samples read from their ring buffer"),
            samples_dropped: add(
                "dropped_samples",
                "Payload samples beyond the cap of a slot or their ring buffer",
            ),
            forgotten_evidence: add(
                "forgotten_evidence",
                "Ports of destinations and awaited answers that a detector had no room for",
            ),
            drain_seconds: Histogram::new([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]),
            initiating_packets: Family::default(),
            packets: Family::default(),
            parse_failures: Family::default(),
            estimated_packets: Family::default(),
            estimated_bytes: Family::default(),
            reply_filter_percent: Gauge::default(),
            slots_used: Gauge::default(),
            slots_capacity: Gauge::default(),
            unwatched_interfaces: Gauge::default(),
            contained_pods: Gauge::default(),
            containment_actions: Family::default(),
            containment_refusals: Family::default(),
        };
        metrics.register_families(registry);
        metrics.register_gauges(registry);
        metrics
    }

    fn register_families(&self, registry: &mut Registry) {
        registry.register(
            "initiating_packets",
            "Packets with which pods initiated, retries included, by class",
            self.initiating_packets.clone(),
        );
        registry.register(
            "packets",
            "Packets that were counted one by one, by kind",
            self.packets.clone(),
        );
        registry.register(
            "parse_failures",
            "Packets that could not be parsed, by reason",
            self.parse_failures.clone(),
        );
        registry.register(
            "estimated_packets",
            "Packets that crossed the pods' interfaces, estimated from samples, by direction and class",
            self.estimated_packets.clone(),
        );
        registry.register(
            "estimated_bytes",
            "Bytes that crossed the pods' interfaces, estimated from samples, by direction and class",
            self.estimated_bytes.clone(),
        );
        registry.register(
            "containment_actions",
            "What was done about pods, or proposed, by kind",
            self.containment_actions.clone(),
        );
        registry.register(
            "containment_refusals",
            "Times a pod was not contained or a command not obeyed, by reason",
            self.containment_refusals.clone(),
        );
        for (_, action) in ACTIONS {
            drop(self.containment_actions.get_or_create(&ByAction { action }));
        }
        for reason in Refusal::NAMES {
            drop(
                self.containment_refusals
                    .get_or_create(&ByReason { reason }),
            );
        }
        // Every label is there from the start, so that a rate has no gap.
        self.count_kinds(&Observation::empty(NOBODY));
    }

    fn register_gauges(&self, registry: &mut Registry) {
        let mut add = |name: &str, help: &str, gauge: &Gauge| {
            registry.register(name, help, gauge.clone());
        };
        add(
            "reply_filter_percent",
            "How full the fullest filter is that tells replies from probes",
            &self.reply_filter_percent,
        );
        add(
            "slots_used",
            "Interfaces that are watched",
            &self.slots_used,
        );
        add(
            "slots_capacity",
            "Interfaces that can be watched at once",
            &self.slots_capacity,
        );
        add(
            "unwatched_interfaces",
            "Interfaces that should be watched and are not",
            &self.unwatched_interfaces,
        );
        add(
            "contained_pods",
            "Interfaces whose pod is contained",
            &self.contained_pods,
        );
        registry.register(
            "drain_seconds",
            "How long it takes to drain all slots",
            self.drain_seconds.clone(),
        );
    }

    pub(super) fn take_step(&self, step: &Step, contained: usize) {
        self.contained_pods.set(contained as i64);
        let mut actions = ACTIONS.into_iter();
        if let Some((_, action)) = actions.find(|(kind, _)| *kind == step.kind) {
            self.containment_actions
                .get_or_create(&ByAction { action })
                .inc();
        }
        if let Some(reason) = step.refused {
            self.containment_refusals
                .get_or_create(&ByReason { reason })
                .inc();
        }
    }

    pub(super) fn count(&self, observation: &Observation) {
        self.count_kinds(observation);
        self.new_ports.inc_by(observation.count(Count::NewPorts));
        self.records.inc_by(observation.contacts.len() as u64);
        self.records_dropped
            .inc_by(observation.count(Count::RecordsDropped));
        self.samples.inc_by(observation.samples.len() as u64);
        self.samples_dropped
            .inc_by(observation.count(Count::SamplesDropped));
    }

    fn count_kinds(&self, observation: &Observation) {
        for (class, count) in Class::ALL.into_iter().zip(observation.initiated) {
            let label = ByClass {
                class: class.name(),
            };
            self.initiating_packets.get_or_create(&label).inc_by(count);
        }
        for count in Count::ALL.into_iter().filter(|it| is_packet(*it)) {
            let label = ByKind { kind: count.name() };
            let counter = self.packets.get_or_create(&label);
            counter.inc_by(observation.count(count));
        }
        for (failure, count) in ParseFailure::ALL.into_iter().zip(observation.unparsed) {
            let label = ByReason {
                reason: failure.name(),
            };
            self.parse_failures.get_or_create(&label).inc_by(count);
        }
        for (direction, volumes) in [
            ("from_pod", observation.sent),
            ("to_pod", observation.received),
        ] {
            self.count_volume(direction, volumes);
        }
    }

    fn count_volume(&self, direction: &'static str, volumes: [Volume; VolumeClass::ALL.len()]) {
        for (class, volume) in VolumeClass::ALL.into_iter().zip(volumes) {
            let label = Crossing {
                direction,
                class: class.name(),
            };
            let packets = self.estimated_packets.get_or_create(&label);
            packets.inc_by(volume.packets);
            let bytes = self.estimated_bytes.get_or_create(&label);
            bytes.inc_by(volume.bytes);
        }
    }

    /// Takes in what others count since the start.
    pub(super) fn report(&self, status: &v1::NodeStatus, stray_records: u64, forgotten: u64) {
        raise_to(&self.records_stray, stray_records);
        raise_to(&self.forgotten_evidence, forgotten);
        let fills = status.slots.iter().map(|slot| slot.reply_filter_percent);
        self.reply_filter_percent
            .set(fills.max().unwrap_or(0).into());
        self.slots_used.set(status.slots.len() as i64);
        self.slots_capacity.set(status.slots_capacity.into());
        self.unwatched_interfaces.set(status.unwatched.len() as i64);
    }
}

const ACTIONS: [(ActionKind, &str); 7] = [
    (ActionKind::Proposed, "proposed"),
    (ActionKind::Contained, "contained"),
    (ActionKind::Renewed, "renewed"),
    (ActionKind::Released, "released"),
    (ActionKind::Expired, "expired"),
    (ActionKind::Refused, "refused"),
    (ActionKind::Held, "held"),
];

/// Whose observation is empty.
const NOBODY: detect::Subject = detect::Subject {
    ifindex: 0,
    epoch: 0,
};

/// What is no packet has a metric of its own.
const fn is_packet(count: Count) -> bool {
    !matches!(
        count,
        Count::RecordsDropped | Count::SamplesDropped | Count::NewPorts
    )
}

fn raise_to(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}
