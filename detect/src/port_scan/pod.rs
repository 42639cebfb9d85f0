//! All that is known of one pod, and when it opens, updates and closes an anomaly.

use std::net::IpAddr;

use super::{
    Thresholds,
    evidence::{Crossing, Evidence, News},
    recent_ports::RecentPorts,
    scan::{Opening, Scan},
    window::{HORIZONS, left, reach, reached},
};
use crate::{Anomaly, AnomalyId, Budget, Criterion, Measure, Observation, State, Time};

/// The state of one pod; its bound is stated at [`PortScan`](super::PortScan).
#[derive(Clone, Debug, Default)]
pub(super) struct Pod {
    evidence: Evidence,
    ports: RecentPorts,
    refused: RecentPorts,
    scan: Option<Box<Scan>>,
    /// The minute since the origin in which what is too old was last forgotten.
    swept: u64,
}

impl Pod {
    /// Appends what follows from the observation; how many probes found no room in it.
    pub(super) fn observe(
        &mut self,
        observation: &Observation,
        now: Time,
        thresholds: &Thresholds,
        serial: &mut u64,
        found: &mut Vec<Anomaly>,
    ) -> u64 {
        let news = self.evidence.take_in(observation, now, thresholds);
        for &port in &observation.tcp_ports {
            self.ports.insert(port, now);
        }
        let refused = self.refused_over_tcp(observation);
        for &port in &refused {
            self.refused.insert(port, now);
        }
        if let Some(scan) = &mut self.scan {
            let due = scan.grow(observation, &refused, &news, now);
            if now.since(scan.active_at) >= thresholds.quiet {
                found.extend(self.close());
                // The evidence is spent: what was seen so far can open nothing any more.
                *self = Self::default();
            } else if due {
                found.push(scan.anomaly(State::Updated, &self.evidence));
            }
        } else if let Some(opening) = self.opening(observation, &news, now, thresholds) {
            *serial += 1;
            let id = AnomalyId {
                subject: observation.subject,
                serial: *serial,
            };
            let mut scan = Scan::open(
                id,
                opening,
                self.ports.since(opening.start).collect(),
                self.refused.since(opening.start).collect(),
                news.sent_at
                    .or(news.failure_passed_at)
                    .unwrap_or(opening.crossed_at),
                now,
            );
            scan.grow(observation, &refused, &news, now);
            found.push(scan.anomaly(State::Opened, &self.evidence));
            self.scan = Some(Box::new(scan));
        }
        self.sweep(now, thresholds);
        news.forgotten
    }

    /// Refused ports are told for all transports together: only one that was tried over TCP can have
    /// been refused over it.
    fn refused_over_tcp(&self, observation: &Observation) -> Vec<u16> {
        let refused = observation.refused.iter().copied();
        refused.filter(|&port| self.ports.contains(port)).collect()
    }

    /// The end of the open anomaly, if there is one.
    pub(super) fn close(&self) -> Option<Anomaly> {
        let scan = self.scan.as_ref()?;
        Some(scan.anomaly(State::Closed, &self.evidence))
    }

    pub(super) fn budget(&self, now: Time, thresholds: &Thresholds) -> Budget {
        match &self.scan {
            Some(scan) => scan.budget(thresholds),
            None => Budget {
                ports: left(self.ports.counts(now), thresholds.ports()),
                refused: self.evidence.failures_left(now, thresholds.failed_ports()),
            },
        }
    }

    fn opening(
        &self,
        observation: &Observation,
        news: &News,
        now: Time,
        thresholds: &Thresholds,
    ) -> Option<Opening> {
        let (measure, horizon, counts, limits, at, address) = if let Some(Crossing {
            at,
            address,
            horizon,
        }) = news.crossing
        {
            let counts = self.evidence.destinations.failed(address, now);
            let limits = thresholds.failed_ports();
            let measure = Measure::FailedPortsPerDestination;
            (measure, horizon, counts, limits, at, Some(address))
        } else {
            let (counts, limits) = (self.ports.counts(now), thresholds.ports());
            let horizon = reached(counts, limits)?;
            let at = observation.tripped.unwrap_or(now);
            (Measure::DistinctPorts, horizon, counts, limits, at, None)
        };
        // What is known to have failed was sent up to `silence` before.
        let start = at - (reach(horizon) + thresholds.silence);
        Some(Opening {
            crossed: Criterion {
                measure,
                counted: counts[horizon].max(limits[horizon]).into(),
                threshold: limits[horizon].into(),
                window: HORIZONS[horizon],
            },
            crossed_at: at,
            start,
            first_seen: self
                .first_seen(start, address, thresholds)
                .unwrap_or(at)
                .min(at),
        })
    }

    /// When the first packet passed since `start` that is evidence, against one address or all.
    fn first_seen(
        &self,
        start: Time,
        address: Option<IpAddr>,
        thresholds: &Thresholds,
    ) -> Option<Time> {
        let reached = self.evidence.destinations.iter();
        let reached = reached.filter(|&(other, _)| address.is_none_or(|address| address == other));
        let probes = reached.flat_map(|(_, destination)| destination.since(start));
        let evidence = probes.filter(|(_, probe)| address.is_none() || probe.outcome().failed());
        evidence
            .map(|(_, probe)| probe.passed_at(thresholds.silence))
            .min()
    }

    /// Forgets once a minute what neither a window nor the open anomaly needs any more.
    fn sweep(&mut self, now: Time, thresholds: &Thresholds) {
        let minute = now.nanoseconds() / 60_000_000_000;
        if minute == self.swept {
            return;
        }
        self.swept = minute;
        let needed = now - (reach(HORIZONS.len() - 1) + thresholds.silence);
        let start = self
            .scan
            .as_ref()
            .map_or(needed, |scan| scan.start.min(needed));
        self.evidence.destinations.sweep(start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Contact, Outcome, PortScan, Subject, Technique, Transport, port_scan::destinations::PROBES,
    };

    const SUBJECT: Subject = Subject {
        ifindex: 1,
        epoch: 1,
    };

    fn heap_bytes(pod: &Pod) -> usize {
        let scan = pod
            .scan
            .as_ref()
            .map_or(0, |_| size_of::<Scan>() + 2 * 8192);
        scan + pod.evidence.heap_bytes() + pod.ports.heap_bytes() + pod.refused.heap_bytes()
    }

    #[test]
    fn no_traffic_grows_a_pod_beyond_its_bound() {
        let dropped = |_: u32| Outcome::Sent(Technique::Syn);
        let refused = |_: u32| Outcome::Refused;
        let mixed = |n: u32| {
            if n.is_multiple_of(2) {
                Outcome::Sent(Technique::Syn)
            } else {
                Outcome::Refused
            }
        };
        for (shape, hosts, ports, outcome) in [
            (
                "every port of one host, dropped",
                1,
                65_536,
                dropped as fn(u32) -> Outcome,
            ),
            ("every port of one host, refused", 1, 65_536, refused),
            ("one port of 5,000 hosts", 5000, 1, mixed),
            ("58 ports of 1,100 hosts", 1100, 58, mixed),
            ("2,000 ports of 80 hosts", 80, 2000, mixed),
        ] {
            let (mut pod, mut serial, mut found) = (Pod::default(), 0, Vec::new());
            // The plain rule opens an anomaly, and no destination updates it.
            let thresholds = Thresholds {
                failed_ports_per_minute: 65_536,
                failed_ports_per_hour: 65_536,
                ..Thresholds::default()
            };
            let (mut forgotten, mut probes) = (0, 0_u64);
            let all: Vec<u16> = (0..=u16::MAX).collect();
            for (index, host) in (0..hosts).enumerate() {
                let now = Time::from_nanoseconds(1_000_000 * index as u64);
                let contact = |n, outcome| Contact {
                    at: now,
                    pod: IpAddr::from([10, 0, 0, 1]),
                    peer: IpAddr::from((u128::from(host) + 1).to_be_bytes()),
                    port: n as u16,
                    transport: Transport::Tcp,
                    outcome,
                    spoofed: false,
                    contained: false,
                };
                let sent = (0..ports).map(|n| contact(n, dropped(n)));
                let all_outcomes = (0..ports).map(|n| contact(n, outcome(host + n)));
                let refused = all_outcomes.filter(|it| it.outcome == Outcome::Refused);
                let mut observation = Observation::empty(SUBJECT);
                observation.contacts = sent.chain(refused).collect();
                if index == 0 {
                    observation.tcp_ports.clone_from(&all);
                    observation.refused.clone_from(&all);
                }
                probes += u64::from(ports);
                forgotten += pod.observe(&observation, now, &thresholds, &mut serial, &mut found);
            }
            let bytes = heap_bytes(&pod) + size_of::<Pod>();
            assert!(bytes <= PortScan::POD_BYTES, "{shape}: {bytes} bytes");
            assert!(
                bytes >= PortScan::POD_BYTES / 16,
                "{shape}: {bytes} bytes, the bound is no bound"
            );
            let lost = probes.saturating_sub(PROBES as u64);
            assert!(
                forgotten >= lost,
                "{shape}: {forgotten} of {lost} lost ones counted"
            );
        }
    }

    #[test]
    fn what_is_too_old_for_every_window_is_forgotten() {
        let (mut pod, mut serial, mut found) = (Pod::default(), 0, Vec::new());
        let mut observation = Observation::empty(SUBJECT);
        observation.contacts = (0..9)
            .map(|port| Contact {
                at: Time::default(),
                pod: IpAddr::from([10, 0, 0, 1]),
                peer: IpAddr::from([10, 0, 0, 2]),
                port,
                transport: Transport::Tcp,
                outcome: Outcome::Sent(Technique::Syn),
                spoofed: false,
                contained: false,
            })
            .collect();
        for (second, remembered) in [(0, 1), (3600, 1), (3780, 0)] {
            let now = Time::from_nanoseconds(second * 1_000_000_000);
            pod.observe(
                &observation,
                now,
                &Thresholds::default(),
                &mut serial,
                &mut found,
            );
            observation.contacts.clear();
            assert_eq!(
                pod.evidence.destinations.iter().count(),
                remembered,
                "after {second} s"
            );
        }
    }
}
