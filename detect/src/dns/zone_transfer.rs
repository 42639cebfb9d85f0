//! Finds pods that ask for a zone as a whole, which lists every name of it at once.
//!
//! Only secondary name servers transfer zones, and what publishes a cluster's names into a zone. A pod that
//! serves names is not judged, and neither is a request that somebody's key vouches for (TSIG, RFC 8945).

use std::time::Duration;

use domain::base::Rtype;

use super::asked::{self, Asked, Names};
use crate::{
    Anomaly, Criterion, Measure, Severity, Words,
    case::{self, Case, Opening},
    detector::{Detector, Seen},
    limits::{DAY, MINUTE, SECOND, thresholds},
    probes::Probes,
    tally::Tally,
    window::{HORIZONS, reached},
};

/// Zones remembered.
const ZONES: u32 = 64;

thresholds! {
    /// Thresholds of the detector of zone transfers.
    Thresholds {
        /// Distinct zones asked for as a whole within a minute; 1.
        ///
        /// No client of names ever does.
        zones_per_minute: u32 = 1, 1 => ZONES,
            "distinct zones asked for as a whole";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    zones: Names,
    case: Option<Box<Case>>,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            zones: Tally::new(ZONES as usize),
            case: None,
        }
    }
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "zone_transfer";

    const WORDS: Words = Words {
        opened: "asked {} for a zone as a whole",
        updated: "still asks {} for whole zones",
        closed: "stopped asking {} for whole zones",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for exchanged in &seen.messages.list {
            let (at, message) = (exchanged.at, &exchanged.message);
            let is_transfer = matches!(message.rtype, Rtype::AXFR | Rtype::IXFR);
            if !is_transfer || message.answer.is_some() || message.is_signed {
                continue;
            }
            let asked = Asked::new(exchanged, message.name.text());
            let sign = asked.sign(at);
            let new = self
                .zones
                .insert(message.name.key(), asked, at, seen.forgotten);
            if let Some(case) = &mut self.case {
                case.keep_open(at);
                if new {
                    case.add(&sign, 1);
                }
                continue;
            }
            let counts = self.zones.counts(at);
            let limit = thresholds.zones_per_minute;
            if reached(counts, [limit, u32::MAX]).is_none() {
                continue;
            }
            let opening = Opening {
                id: seen.next_id(),
                detector: Self::ID,
                attack_ids: &["T1590.002"],
                severity: Severity::Medium,
                crossed: Criterion {
                    measure: Measure::ZoneTransfers,
                    counted: counts[0].into(),
                    threshold: limit.into(),
                    window: HORIZONS[0],
                },
                crossed_at: at,
            };
            let evidence = asked::evidence(&self.zones, at - HORIZONS[0]);
            self.case = Some(Box::new(Case::open(opening, evidence)));
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            self.zones.clear();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        asked::heap_bytes(&self.zones) + self.case.as_ref().map_or(0, |case| case.bytes())
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}
