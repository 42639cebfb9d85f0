//! Finds pods that try which IP protocols a host speaks.

use std::{net::IpAddr, time::Duration};

use crate::{
    Anomaly, Criterion, Measure, Severity, Time, Transport, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    limits::{DAY, MINUTE, SECOND, thresholds},
    probes::{Fate, Probes},
    tally::Tally,
    window::{HORIZONS, reached},
};

thresholds! {
    /// Thresholds of the protocol scan detector.
    Thresholds {
        /// Distinct IP protocols of one pod beside TCP, UDP, SCTP and ICMP within a minute; 6.
        ///
        /// A workload speaks one such protocol, or two (GRE, ESP); a scan tries up to 256.
        protocols_per_minute: u32 = 6, 1 => 256,
            "distinct IP protocols beside TCP, UDP, SCTP and ICMP";
        /// The same within an hour; 12.
        protocols_per_hour: u32 = 12, 1 => 256,
            "distinct IP protocols beside TCP, UDP, SCTP and ICMP";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// Protocols there are.
const PROTOCOLS: usize = 256;

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    protocols: Tally<u16, Sent>,
    case: Option<Box<Case>>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Time,
    address: IpAddr,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            protocols: Tally::new(PROTOCOLS),
            case: None,
        }
    }
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "protocol_scan";

    const WORDS: Words = Words {
        opened: "tried the IP protocols of {}",
        updated: "still tries the IP protocols of {}",
        closed: "stopped trying the IP protocols of {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let limits = [
            thresholds.protocols_per_minute,
            thresholds.protocols_per_hour,
        ];
        for step in seen.steps {
            if !matches!(step.fate, Fate::Sent(_)) || step.service.transport != Transport::Protocol
            {
                continue;
            }
            let (at, address, protocol) = (step.at, step.address, step.service.port);
            let sent = Sent { at, address };
            let sign = |protocol, sent: Sent| Sign {
                at: sent.at,
                passed_at: sent.at,
                target: Some(sent.address),
                technique: step.technique,
                sample: Some(format!("IP protocol {protocol}")),
                ..Sign::default()
            };
            let new = self.protocols.insert(protocol, sent, at, seen.forgotten);
            match &mut self.case {
                Some(case) if new => case.add(&sign(protocol, sent), 1),
                Some(_) => {}
                None => {
                    let counts = self.protocols.counts(at);
                    let Some(horizon) = reached(counts, limits) else {
                        continue;
                    };
                    let opening = Opening {
                        id: seen.next_id(),
                        detector: Self::ID,
                        attack_ids: &["T1046"],
                        severity: Severity::High,
                        crossed: Criterion {
                            measure: Measure::Protocols,
                            counted: counts[horizon].into(),
                            threshold: limits[horizon].into(),
                            window: HORIZONS[horizon],
                        },
                        crossed_at: at,
                    };
                    let evidence = self.protocols.since(at - HORIZONS[horizon]);
                    let evidence = evidence.map(|(protocol, _, &sent)| sign(protocol, sent));
                    self.case = Some(Box::new(Case::open(opening, evidence)));
                }
            }
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            self.protocols.clear();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.protocols.heap_bytes() + self.case.as_ref().map_or(0, |case| case.bytes())
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}
