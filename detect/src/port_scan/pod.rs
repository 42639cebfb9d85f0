//! All that is known of one pod, and when it opens, updates and closes an anomaly.

use std::net::IpAddr;

use super::{
    Thresholds,
    news::{Counted, Crossing, News},
    scan::{self, Opening, Scan},
};
use crate::{
    Anomaly, Budget, Criterion, Measure, Observation, State, Time, Words,
    detector::{Detector, Seen},
    probes::Probes,
    recent_ports::EPHEMERAL,
    recent_ports::RecentPorts,
    window::{HORIZONS, Windows, left, reach, reached},
};

/// What is known of a pod's ports beside what became of its probes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    tcp: RecentPorts,
    /// Those over TCP that nobody hands out at random.
    chosen: Windows,
    udp: RecentPorts,
    refused: RecentPorts,
    scan: Option<Box<Scan>>,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = scan::ID;

    const WORDS: Words = Words {
        opened: "scanned {}",
        updated: "still scans {}",
        closed: "stopped scanning {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let now = seen.now;
        let news = News::read(seen.steps, seen.probes, thresholds);
        for &port in &seen.observation.tcp_ports {
            let before = self.tcp.insert(port, now);
            if port < EPHEMERAL {
                self.chosen.seen(before, now);
            }
        }
        for &port in &seen.observation.udp_ports {
            self.udp.insert(port, now);
        }
        let refused = self.refused_of_tried(seen.observation);
        for &port in &refused {
            self.refused.insert(port, now);
        }
        if let Some(scan) = &mut self.scan {
            let due = scan.grow(
                seen.observation,
                seen.probes.forgotten,
                &refused,
                &news,
                now,
            );
            if now.since(scan.active_at) >= thresholds.quiet {
                self.close(seen.probes, seen.found);
                // The evidence is spent: what was seen so far can open nothing any more.
                seen.probes.spend();
                *self = Self::default();
            } else if due {
                seen.found.push(scan.anomaly(State::Updated, seen.probes));
            }
        } else if let Some(opening) = self.opening(seen, &news, thresholds) {
            let mut scan = Scan::open(
                seen.next_id(),
                opening,
                self.tcp
                    .since(opening.start)
                    .chain(self.udp.since(opening.start)),
                self.refused.since(opening.start),
                news.sent_at
                    .or(news.failure_passed_at)
                    .unwrap_or(opening.crossed_at),
                now,
            );
            scan.grow(
                seen.observation,
                seen.probes.forgotten,
                &refused,
                &news,
                now,
            );
            seen.found.push(scan.anomaly(State::Opened, seen.probes));
            self.scan = Some(Box::new(scan));
        }
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        if let Some(scan) = self.scan.take() {
            found.push(scan.anomaly(State::Closed, probes));
        }
    }

    fn budget(&self, probes: &Probes, now: Time, thresholds: &Thresholds) -> Budget {
        if let Some(scan) = &self.scan {
            return scan.budget(thresholds);
        }
        let (low, crafted) = probes.destinations.most_new_ports(now);
        let by_destination = [
            thresholds.low_ports_per_minute.saturating_sub(low),
            thresholds.crafted_ports_per_hour.saturating_sub(crafted),
        ];
        let by_destination = by_destination.into_iter().min().unwrap_or(0).max(1);
        Budget {
            ports: left(self.chosen.counts(now), thresholds.ports()).min(by_destination),
            refused: left(
                probes.destinations.most_failed(now),
                thresholds.failed_ports(),
            ),
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let scan = self
            .scan
            .as_ref()
            .map_or(0, |_| size_of::<Scan>() + 2 * 8192);
        scan + self.tcp.heap_bytes()
            + self.chosen.heap_bytes()
            + self.udp.heap_bytes()
            + self.refused.heap_bytes()
    }

    fn needs_probes_since(&self) -> Option<Time> {
        self.scan.as_ref().map(|scan| scan.start)
    }
}

impl Pod {
    /// Refused ports are told for all transports together: only one that was tried can have been refused.
    fn refused_of_tried(&self, observation: &Observation) -> Vec<u16> {
        let refused = observation.refused.iter().copied();
        let tried = |&port: &u16| self.tcp.contains(port) || self.udp.contains(port);
        refused.filter(tried).collect()
    }

    fn opening(&self, seen: &Seen<'_>, news: &News, thresholds: &Thresholds) -> Option<Opening> {
        let now = seen.now;
        let (measure, horizon, counted, limit, at, address) = if let Some(Crossing {
            at,
            address,
            horizon,
        }) = news.crossing
        {
            let counted = seen.probes.destinations.failed(address, now)[horizon];
            let limit = thresholds.failed_ports()[horizon];
            let measure = Measure::FailedPortsPerDestination;
            (measure, horizon, counted, limit, at, Some(address))
        } else if let Some(Counted { at, address, ports }) = news.crafted {
            let limit = thresholds.crafted_ports_per_hour;
            let measure = Measure::CraftedPortsPerDestination;
            (measure, 1, ports, limit, at, Some(address))
        } else if let Some(Counted { at, address, ports }) = news.low {
            let limit = thresholds.low_ports_per_minute;
            let measure = Measure::LowPortsPerDestination;
            (measure, 0, ports, limit, at, Some(address))
        } else {
            let (counts, limits) = (self.chosen.counts(now), thresholds.ports());
            let horizon = reached(counts, limits)?;
            let at = seen.observation.tripped.unwrap_or(now);
            let measure = Measure::DistinctPorts;
            (measure, horizon, counts[horizon], limits[horizon], at, None)
        };
        // What is known to have failed was sent up to `silence` before.
        let start = at - (reach(horizon) + seen.probes.silence);
        Some(Opening {
            crossed: Criterion {
                measure,
                counted: counted.max(limit).into(),
                threshold: limit.into(),
                window: HORIZONS[horizon],
            },
            crossed_at: at,
            address,
            start,
            first_seen: first_seen(seen.probes, start, measure, address)
                .unwrap_or(at)
                .min(at),
        })
    }
}

/// When the first packet passed since `start` that is evidence, against one address or all.
fn first_seen(
    probes: &Probes,
    start: Time,
    measure: Measure,
    address: Option<IpAddr>,
) -> Option<Time> {
    let reached = probes.destinations.iter();
    let reached = reached.filter(|&(other, _)| address.is_none_or(|address| address == other));
    let tried = reached.flat_map(|(_, destination)| destination.since(start));
    let evidence = tried.filter(|(service, probe)| {
        service.is_port() && (measure != Measure::FailedPortsPerDestination || probe.failed())
    });
    evidence
        .map(|(_, probe)| probe.passed_at(probes.silence))
        .min()
}
