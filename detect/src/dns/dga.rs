//! Finds pods that ask for many domains that nobody registered, as malware does that computes where its
//! masters might be today.
//!
//! What counts is the registered domain, below a suffix of the public suffix list. So neither the search
//! suffixes of a cluster nor many names of one domain count: `ndots:5` gave 526 denials of 24 names, none
//! of another domain. A domain exists when any name of it does, or when its own zone denies one.
//!
//! A crawler and a mail server meet dead domains too, among many more that live: the domains that do not
//! exist must outnumber those that do.

use std::time::Duration;

use domain::base::iana::Rcode;

use super::asked::{self, Asked, Names};
use crate::{
    Anomaly, Criterion, Measure, Severity, Words,
    case::{self, Case, Opening},
    detector::{Detector, Seen},
    hash::hash,
    limits::{DAY, MINUTE, SECOND, thresholds},
    probes::Probes,
    tally::Tally,
    window::HORIZONS,
};

/// Domains remembered, of those that exist and of those that do not.
const DOMAINS: u32 = 512;

thresholds! {
    /// Thresholds of the detector of generated domains.
    Thresholds {
        /// Distinct registered domains that do not exist, within a minute; 25.
        ///
        /// Measured: a generator at full speed reaches it in 1.3 s, one at a name each second in 24 s;
        /// no benign capture has three.
        domains_per_minute: u32 = 25, 1 => DOMAINS,
            "distinct registered domains that do not exist";
        /// The same within an hour; 100.
        ///
        /// A generator that waits half a minute between names.
        domains_per_hour: u32 = 100, 1 => DOMAINS,
            "distinct registered domains that do not exist";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    unknown: Names,
    known: Tally<u64>,
    case: Option<Box<Case>>,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            unknown: Tally::new(DOMAINS as usize),
            known: Tally::new(DOMAINS as usize),
            case: None,
        }
    }
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "dga";

    const WORDS: Words = Words {
        opened: "asked {} for many domains that do not exist",
        updated: "still asks {} for domains that do not exist",
        closed: "stopped asking {} for domains that do not exist",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let limits = [thresholds.domains_per_minute, thresholds.domains_per_hour];
        for exchanged in &seen.messages.list {
            let (at, message) = (exchanged.at, &exchanged.message);
            let (Some(answer), Some(domain)) = (message.answer, message.name.public()) else {
                continue;
            };
            if message.name.service().is_some() || message.name.is_arpa() {
                continue;
            }
            let key = hash(domain);
            let exists = answer.records > 0 || answer.is_denied_within;
            match answer.rcode {
                Rcode::NXDOMAIN if !exists => {}
                Rcode::NXDOMAIN | Rcode::NOERROR => {
                    self.unknown.remove(&key);
                    self.known.insert(key, (), at, seen.forgotten);
                    continue;
                }
                _ => continue,
            }
            if self.known.contains(&key) {
                continue;
            }
            let asked = Asked::new(exchanged, domain);
            let sign = asked.sign(at);
            let new = self.unknown.insert(key, asked, at, seen.forgotten);
            if let Some(case) = &mut self.case {
                if new {
                    case.add(&sign, 1);
                }
                continue;
            }
            let (unknown, known) = (self.unknown.counts(at), self.known.counts(at));
            let crossed = (0..HORIZONS.len())
                .find(|&it| unknown[it] >= limits[it] && unknown[it] > known[it]);
            let Some(horizon) = crossed else {
                continue;
            };
            let opening = Opening {
                id: seen.next_id(),
                detector: Self::ID,
                attack_ids: &["T1568.002"],
                severity: Severity::High,
                crossed: Criterion {
                    measure: Measure::UnknownDomains,
                    counted: unknown[horizon].into(),
                    threshold: limits[horizon].into(),
                    window: HORIZONS[horizon],
                },
                crossed_at: at,
            };
            let evidence = asked::evidence(&self.unknown, at - HORIZONS[horizon]);
            self.case = Some(Box::new(Case::open(opening, evidence)));
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            self.unknown.clear();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        asked::heap_bytes(&self.unknown)
            + self.known.heap_bytes()
            + self.case.as_ref().map_or(0, |case| case.bytes())
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}
