//! What is known of the protocols a pod speaks.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    Thresholds,
    ports::{Use, is_well_known, judge},
};
use crate::{
    Anomaly, Criterion, Measure, Sample, SampleKind, Severity, Time, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    probes::Probes,
    protocol,
    tally::Tally,
    window::HORIZONS,
};

/// Connections with a wrong protocol that are remembered.
const CONNECTIONS: usize = 512;
/// Services that are remembered to have been spoken to as is proper.
const SERVICES: usize = 512;
/// The horizon over which connections count.
const HOUR: usize = HORIZONS.len() - 1;

/// A port of a destination.
type Service = (IpAddr, u16);

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    /// By service and port of the pod.
    wrong: Tally<(Service, u16), Use>,
    proper: Tally<Service>,
    case: Option<Box<Case>>,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            wrong: Tally::new(CONNECTIONS),
            proper: Tally::new(SERVICES),
            case: None,
        }
    }
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "protocol_mismatch";

    const WORDS: Words = Words {
        opened: "spoke a wrong protocol to {}",
        updated: "still speaks a wrong protocol to {}",
        closed: "stopped speaking a wrong protocol to {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for sample in &seen.observation.samples {
            if sample.kind == SampleKind::FirstData && is_well_known(sample.port) {
                self.take_in(sample, seen, thresholds);
            }
        }
        seen.live(&mut self.case, thresholds.quiet);
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let case = self.case.as_ref().map_or(0, |case| case.bytes());
        self.wrong.heap_bytes() + self.proper.heap_bytes() + case
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}

impl Pod {
    fn take_in(&mut self, sample: &Sample, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let (at, service) = (sample.at, (sample.peer, sample.port));
        let used = judge(
            sample.port,
            protocol::Opening {
                bytes: &sample.payload,
                length: sample.payload_bytes as usize,
                by_client: sample.sent,
            },
        );
        match used {
            // What a server says may answer anything.
            Use::Proper if sample.sent => {
                self.proper.insert(service, (), at, seen.forgotten);
                return;
            }
            Use::Unknown if self.proper.contains(&service) => return,
            Use::Proper | Use::Untold => return,
            Use::Other(_) | Use::Weak(_) | Use::Kin(_) | Use::Unknown => {}
        }
        let connection = (service, sample.pod_port);
        if !self.wrong.insert(connection, used, at, seen.forgotten) {
            return;
        }
        let judgement = self.judgement(service, at, thresholds);
        let sign = sign(connection, used, at);
        match &mut self.case {
            Some(case) => {
                case.add(&sign, 1);
                if let Some((severity, _)) = judgement {
                    case.rise(severity);
                }
            }
            None => {
                let Some((severity, crossed)) = judgement else {
                    return;
                };
                let opening = Opening {
                    id: seen.next_id(),
                    detector: Self::ID,
                    attack_ids: &["T1571", "T1095", "T1572"],
                    severity,
                    crossed,
                    crossed_at: at,
                };
                let evidence = self.wrong.since(at - HORIZONS[HOUR]);
                let evidence = evidence.filter(|&((it, _), _, _)| it == service);
                let evidence =
                    evidence.map(|(connection, at, &used)| self::sign(connection, used, at));
                self.case = Some(Box::new(Case::open(opening, evidence)));
            }
        }
    }

    /// How bad it is what was spoken to a service, if it is worth telling, and what says so.
    fn judgement(
        &self,
        service: Service,
        now: Time,
        thresholds: &Thresholds,
    ) -> Option<(Severity, Criterion)> {
        let (mut recognised, mut weak, mut unknown, mut kin) = (0, 0, 0, 0);
        let mut ports = BTreeSet::new();
        for ((it, _), _, used) in self.wrong.since(now - HORIZONS[HOUR]) {
            ports.insert(it.1);
            if it == service {
                match used {
                    Use::Other(_) => recognised += 1,
                    Use::Weak(_) => weak += 1,
                    Use::Unknown => unknown += 1,
                    Use::Kin(_) => kin += 1,
                    Use::Proper | Use::Untold => {}
                }
            }
        }
        let crossed = |counted: u32, threshold: u32| Criterion {
            measure: Measure::OtherProtocols,
            counted: counted.into(),
            threshold: threshold.into(),
            window: HORIZONS[HOUR],
        };
        let tries = ports.len() as u64 >= thresholds.tried_ports.into();
        if recognised >= thresholds.connections_per_hour && !tries {
            let crossed = crossed(recognised, thresholds.connections_per_hour);
            return Some((Severity::Medium, crossed));
        }
        let all = recognised + weak + unknown;
        if all >= thresholds.weak_per_hour && !tries {
            return Some((Severity::Low, crossed(all, thresholds.weak_per_hour)));
        }
        let clear = recognised + weak + kin;
        (clear > 0).then(|| (Severity::Info, crossed(clear, 1)))
    }
}

fn sign((service, _): (Service, u16), used: Use, at: Time) -> Sign {
    let (address, port) = service;
    let what = match used {
        Use::Other(protocol) | Use::Weak(protocol) | Use::Kin(protocol) => protocol.name(),
        Use::Unknown | Use::Proper | Use::Untold => "no known protocol",
    };
    Sign {
        at,
        passed_at: at,
        target: Some(address),
        port: Some(port),
        sample: Some(format!("{what} on port {port} of {address}")),
        ..Sign::default()
    }
}
