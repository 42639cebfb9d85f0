//! Finds workloads that talk to what neither they nor their replicas ever talked to.
//!
//! Workloads talk to the same services day after day. Who has taken one talks to others: a host he found, a
//! server of his own. New versions do too, so this detector is in shadow unless it is set otherwise.
//!
//! What a workload talks to is learned for a while before anything is new, whatever comes of it. It is shared by all replicas on the node, and forgotten when the agent ends. Peers are
//! remembered by a hash of address and port, so that a pod of a new address behind the same Service is new: it is
//! best used for destinations outside the cluster.

use std::time::Duration;

use crate::{
    Anomaly, Criterion, Measure, Mode, Severity, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    limits::{DAY, HOUR, MINUTE, thresholds},
    probes::{Fate, Probes},
    window::HORIZONS,
};

thresholds! {
    /// Thresholds of the new peer detector.
    Thresholds {
        /// Peers that are new to the workload; 1.
        peers: u32 = 1, 1 => 1024,
            "destinations that neither the workload nor its replicas ever talked to";
        /// How long it is only learned what a workload talks to; 7 days, so that jobs of the week are known.
        learning: Duration = 7 * DAY, MINUTE => 90 * DAY,
            "what a workload talks to is only learned for so long";
        /// An anomaly with nothing new for this long is closed; 1 h.
        quiet: Duration = HOUR, MINUTE => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// What is known of a pod: what its workload talks to is known of all its replicas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    /// New since the last anomaly ended.
    new: Vec<Sign>,
    case: Option<Box<Case>>,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "new_peer";

    const WORDS: Words = Words {
        opened: "talked to {} for the first time",
        updated: "still talks to new peers, {}",
        closed: "stopped talking to new peers, {}",
        samples: "such as",
    };

    const MODE: Mode = Mode::Shadow;

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for step in seen.steps {
            if !matches!(step.fate, Fate::Sent(_)) || !step.service.is_port() {
                continue;
            }
            let (peer, at) = ((step.address, step.service), step.at);
            if !seen
                .usual
                .meets(peer, at, thresholds.learning, seen.forgotten)
            {
                continue;
            }
            let sign = Sign {
                at,
                passed_at: step.passed_at,
                target: Some(step.address),
                port: Some(step.service.port),
                technique: step.technique,
                ..Sign::default()
            };
            if let Some(case) = &mut self.case {
                case.add(&sign, 1);
                continue;
            }
            self.new.push(sign);
            let counted = self.new.len() as u64;
            if counted < thresholds.peers.into() {
                continue;
            }
            let opening = Opening {
                id: seen.next_id(),
                detector: Self::ID,
                attack_ids: &["T1071", "T1021"],
                severity: Severity::Info,
                crossed: Criterion {
                    measure: Measure::NewPeers,
                    counted,
                    threshold: thresholds.peers.into(),
                    window: HORIZONS[1],
                },
                crossed_at: at,
            };
            let case = Case::open(opening, std::mem::take(&mut self.new));
            self.case = Some(Box::new(case));
        }
        self.new
            .retain(|sign| seen.now.since(sign.at) < HORIZONS[1]);
        seen.live(&mut self.case, thresholds.quiet);
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let case = self.case.as_ref().map_or(0, |case| case.bytes());
        self.new.capacity() * size_of::<Sign>() + case
    }
}
