//! Finds pods of which many ports are tried, whoever tries them.
//!
//! One scanner can hide among many: a scan is split over 60 pods, or its packets carry the addresses of
//! others. The pod that is scanned sees all of it. It counts the distinct ports below 32,768 that others tried
//! and the pod *refused*, exact in the programs, within a minute and within an hour; about how many hosts it was, a sketch tells.
//!
//! Nobody is accused: the anomaly names the pod as the target, and no source. A port that drops what comes
//! is not seen, so a pod behind a policy that drops has no view of its own.

use std::time::Duration;

use crate::{
    Anomaly, Criterion, Measure, Observation, Severity, Sketch, Time, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    limits::{DAY, MINUTE, PORTS, SECOND, thresholds},
    port_set::PortSet,
    probes::Probes,
    recent_ports::{EPHEMERAL, RecentPorts},
    window::{HORIZONS, PerHorizon, reach, reached},
};

thresholds! {
    /// Thresholds of the port scan target detector.
    Thresholds {
        /// Distinct ports on which the pod refused within a minute; 40.
        ///
        /// A pod refuses where its clients have a wrong port, or when one of its containers restarts: a
        /// handful of ports. Measured over 135 labelled captures, 40 separated all scans of one victim by
        /// many sources from everything benign.
        refusing_ports_per_minute: u32 = 40, 1 => PORTS,
            "distinct ports on which the pod refused others";
        /// The same within an hour; 80.
        refusing_ports_per_hour: u32 = 80, 1 => PORTS,
            "distinct ports on which the pod refused others";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

impl Thresholds {
    const fn refusing(&self) -> PerHorizon {
        [self.refusing_ports_per_minute, self.refusing_ports_per_hour]
    }
}

/// What is known of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    refusing: RecentPorts,
    /// Ports that others tried by the last observation.
    probed: Vec<u16>,
    case: Option<Box<Case>>,
    /// While an anomaly is open: the ports it counts, and who tried.
    open: Option<(PortSet, Sketch)>,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "port_scan_target";

    const WORDS: Words = Words {
        opened: "scanned {}",
        updated: "still scans {}",
        closed: "stopped scanning {}",
        samples: "by",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let (observation, now) = (seen.observation, seen.now);
        let refusing = observation.refusing.iter().copied();
        let refusing: Vec<u16> = refusing
            .filter(|&it| self.was_tried(observation, it))
            .collect();
        self.probed.clone_from(&observation.probed);
        for &port in &refusing {
            self.refusing.insert(port, now);
        }
        if self.case.is_none() && !refusing.is_empty() {
            self.open(seen, thresholds);
        }
        if let (Some(case), Some((ports, probing))) = (&mut self.case, &mut self.open) {
            for &port in &refusing {
                if ports.insert(port) {
                    case.add(&at(now), 1);
                }
            }
            probing.merge(&observation.hosts.probing);
            let hosts = probing.estimate();
            let plural = if hosts == 1 { "" } else { "s" };
            case.describe([format!("about {hosts} host{plural}")]);
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            *self = Self::default();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let case = self.case.as_ref().map_or(0, |case| case.bytes() + 8192);
        self.refusing.heap_bytes() + self.probed.capacity() * 2 + case
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}

impl Pod {
    /// Whether others tried the port: who answers the pod tries nothing. What refuses above the ports that are
    /// chosen is mostly an answer that came too late.
    fn was_tried(&self, observation: &Observation, port: u16) -> bool {
        let tried = |ports: &[u16]| ports.binary_search(&port).is_ok();
        port < EPHEMERAL && (tried(&observation.probed) || tried(&self.probed))
    }

    fn open(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let now = seen.now;
        let (counts, limits) = (self.refusing.counts(now), thresholds.refusing());
        let Some(horizon) = reached(counts, limits) else {
            return;
        };
        let ports: PortSet = self.refusing.since(now - reach(horizon)).collect();
        let opening = Opening {
            id: seen.next_id(),
            detector: Self::ID,
            attack_ids: &["T1046"],
            severity: Severity::Medium,
            crossed: Criterion {
                measure: Measure::RefusingPorts,
                counted: counts[horizon].into(),
                threshold: limits[horizon].into(),
                window: HORIZONS[horizon],
            },
            crossed_at: now,
        };
        let case = Case::open(opening, (0..ports.len()).map(|_| at(now)));
        self.case = Some(Box::new(case.against_pod()));
        self.open = Some((ports, Sketch::default()));
    }
}

/// Ports have no times of their own.
fn at(now: Time) -> Sign {
    Sign {
        at: now,
        passed_at: now,
        ..Sign::default()
    }
}
