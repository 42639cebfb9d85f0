//! The life of one port scan, from its opening to its end.

use std::net::IpAddr;

use crate::{
    Anomaly, AnomalyId, Budget, Coverage, Criterion, Measure, Observation, PortCounts, PortSets,
    Role, Severity, State, Time, case::decade_above, port_set::PortSet, probes::Probes,
};

use super::{Thresholds, news::News, report::Report};

/// The id of the detector.
pub(super) const ID: &str = "port_scan";

/// What is accumulated over the life of an anomaly.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub(super) id: AnomalyId,
    pub(super) crossed: Criterion,
    pub(super) crossed_at: Time,
    /// The destination it opened with, if it did with one.
    address: Option<IpAddr>,
    /// When its evidence starts: the window that was crossed, and the time a verdict takes.
    pub(super) start: Time,
    pub(super) first_seen: Time,
    pub(super) last_seen: Time,
    /// When it last had something new.
    pub(super) active_at: Time,
    pub(super) severity: Severity,
    pub(super) ports: PortSet,
    pub(super) refused: PortSet,
    pub(super) coverage: Coverage,
    next_decade: u64,
}

/// What opens an anomaly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) crossed: Criterion,
    pub(super) crossed_at: Time,
    pub(super) address: Option<IpAddr>,
    pub(super) start: Time,
    pub(super) first_seen: Time,
}

impl Scan {
    /// Opens with the ports of the window that was crossed.
    pub(super) fn open(
        id: AnomalyId,
        opening: Opening,
        ports: impl Iterator<Item = u16>,
        refused: impl Iterator<Item = u16>,
        sent_at: Time,
        now: Time,
    ) -> Self {
        let Opening {
            crossed,
            crossed_at,
            address,
            start,
            first_seen,
        } = opening;
        let ports = PortSet::from_iter(ports);
        Self {
            id,
            crossed,
            crossed_at,
            address,
            start,
            first_seen,
            last_seen: first_seen.max(sent_at),
            active_at: now,
            severity: match crossed.measure {
                Measure::FailedPortsPerDestination | Measure::CraftedPortsPerDestination => {
                    Severity::High
                }
                _ => Severity::Medium,
            },
            next_decade: decade_above(2 * u64::from(ports.len())),
            ports,
            refused: PortSet::from_iter(refused),
            coverage: Coverage::default(),
        }
    }

    /// Takes in an observation, and the ports refused of those it tried; true when it grew by a decade or
    /// reached a new target.
    pub(super) fn grow(
        &mut self,
        observation: &Observation,
        forgotten: u64,
        refused: &[u16],
        news: &News,
        now: Time,
    ) -> bool {
        let mut new_port = false;
        for &port in observation.tcp_ports.iter().chain(&observation.udp_ports) {
            new_port |= self.ports.insert(port);
        }
        for &port in refused {
            new_port |= self.refused.insert(port);
        }
        if new_port {
            self.active_at = now;
            self.last_seen = self.last_seen.max(news.sent_at.unwrap_or(now));
        }
        if let (Some(failed_at), Some(passed_at)) = (news.failed_at, news.failure_passed_at) {
            self.active_at = self.active_at.max(failed_at);
            self.last_seen = self.last_seen.max(passed_at);
        }
        self.coverage.take_in(observation, forgotten);

        let ports = u64::from(self.ports.len());
        let grown = ports >= self.next_decade;
        if grown {
            self.next_decade = decade_above(ports);
        }
        let mut new_target = false;
        if let Some(crossing) = news.crossing {
            // That of the destination it opened with is no news, unless it makes it worse.
            new_target = self.severity < Severity::High || self.address != Some(crossing.address);
            self.severity = Severity::High;
        }
        grown || new_target
    }

    /// How far the next step of its life is, see [`super`].
    pub(super) fn budget(&self, thresholds: &Thresholds) -> Budget {
        let [minute, hour] = thresholds.failed_ports();
        Budget {
            ports: u32::try_from(self.next_decade)
                .unwrap_or(u32::MAX)
                .saturating_sub(self.ports.len())
                .max(1),
            refused: minute.min(hour).max(self.refused.len() / 10).max(1),
        }
    }

    pub(super) fn anomaly(&self, state: State, probes: &Probes) -> Anomaly {
        let report = Report::new(&probes.destinations, self.start);
        Anomaly {
            id: self.id,
            state,
            detector: ID,
            severity: self.severity,
            shadow: false,
            crossed: self.crossed,
            crossed_at: self.crossed_at,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            pod: probes.pod,
            role: Role::Source,
            targets: report.targets,
            further_targets: report.further_targets,
            counted: self.ports.len().into(),
            ports: PortCounts {
                distinct: self.ports.len(),
                refused: self.refused.len(),
                answered: report.answered.len(),
                silent: report.silent.len(),
            },
            port_sets: Some(Box::new(PortSets {
                distinct: self.ports.clone(),
                refused: self.refused.clone(),
                answered: report.answered,
            })),
            technique: report.technique,
            samples: Vec::new(),
            attack_ids: &["T1046"],
            withheld: 0,
            coverage: self.coverage,
        }
    }
}
