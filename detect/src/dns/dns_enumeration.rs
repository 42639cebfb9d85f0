//! Finds pods that try names to learn what there is: services of the cluster, hosts by their addresses, and
//! names of a domain.
//!
//! - **Services** of the cluster that do not exist, and names of all services at once.
//! - **Addresses** of one block of 256 whose names are asked for, whether they have one or not.
//! - **Words** below one registered domain that do not exist or get no answer.
//!
//! Only distinct names count, and a name counts once with all its search suffixes: `ndots:5` gave 526
//! denials of 24 names, none of them a service.

mod reverse;
mod services;
mod thresholds;
mod words;

pub use self::thresholds::Thresholds;
use self::{reverse::Reverse, services::Services, words::Words as Tried};
use crate::{
    Anomaly, Count, Criterion, Measure, Severity, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    probes::Probes,
    window::HORIZONS,
};

/// What is known of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    services: Services,
    reverse: Reverse,
    words: Tried,
    case: Option<Box<Case>>,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "dns_enumeration";

    const WORDS: Words = Words {
        opened: "asked {} for names to learn what there is",
        updated: "still asks {} for names to learn what there is",
        closed: "stopped asking {} for names to learn what there is",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for exchanged in &seen.messages.list {
            let at = exchanged.at;
            if let Some(sign) = self.services.take_in(exchanged, seen.forgotten) {
                let (rule, crossed) = (Rule::Services, self.services.crossed(at, thresholds));
                let evidence = |horizon| self.services.evidence(horizon, at);
                rule.judge(&mut self.case, seen, sign, crossed, evidence);
            }
            if let Some((sign, block)) = self.reverse.take_in(exchanged, seen.forgotten) {
                let (rule, crossed) = (Rule::Reverse, block.crossed(at, thresholds));
                let evidence = |horizon| block.evidence(horizon, at);
                rule.judge(&mut self.case, seen, sign, crossed, evidence);
            }
            if let Some((sign, domain)) = self.words.take_in(exchanged, seen.forgotten) {
                let (rule, crossed) = (Rule::Words, domain.crossed(at, thresholds));
                let evidence = |horizon| domain.evidence(horizon, at);
                rule.judge(&mut self.case, seen, sign, crossed, evidence);
            }
        }
        if seen.observation.count(Count::SamplesDropped) > 0 {
            self.words.excuse();
        }
        while let Some(failed) = self.words.expire(seen.now, seen.forgotten) {
            if let Some((sign, domain)) = failed {
                let at = sign.at;
                let (rule, crossed) = (Rule::Words, domain.crossed(at, thresholds));
                let evidence = |horizon| domain.evidence(horizon, at);
                rule.judge(&mut self.case, seen, sign, crossed, evidence);
            }
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            self.services = Services::default();
            self.reverse.clear();
            self.words.clear();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.services.heap_bytes()
            + self.reverse.heap_bytes()
            + self.words.heap_bytes()
            + self.case.as_ref().map_or(0, |case| case.bytes())
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}

/// What names are tried for.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Services,
    Reverse,
    Words,
}

impl Rule {
    const fn measure(self) -> Measure {
        match self {
            Self::Services | Self::Words => Measure::UnknownServices,
            Self::Reverse => Measure::ReverseNames,
        }
    }

    const fn attack_ids(self) -> &'static [&'static str] {
        match self {
            Self::Services => &["T1046"],
            Self::Reverse => &["T1018"],
            Self::Words => &["T1046", "T1018"],
        }
    }

    /// Adds new evidence of a rule that is crossed to the anomaly, or opens one with all of its evidence.
    fn judge(
        self,
        case: &mut Option<Box<Case>>,
        seen: &mut Seen<'_>,
        sign: Sign,
        crossed: Option<(usize, u32, u32)>,
        evidence: impl FnOnce(usize) -> Vec<Sign>,
    ) {
        let Some((horizon, counted, threshold)) = crossed else {
            return;
        };
        if let Some(case) = case {
            case.add(&sign, 1);
            return;
        }
        let opening = Opening {
            id: seen.next_id(),
            detector: Pod::ID,
            attack_ids: self.attack_ids(),
            severity: Severity::Medium,
            crossed: Criterion {
                measure: self.measure(),
                counted: counted.into(),
                threshold: threshold.into(),
                window: HORIZONS[horizon],
            },
            crossed_at: sign.at,
        };
        *case = Some(Box::new(Case::open(opening, evidence(horizon))));
    }
}
