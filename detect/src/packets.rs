//! Counts packets over a sliding minute, and remembers whom they were sent to.

mod recent;

use std::{net::IpAddr, time::Duration};

pub(crate) use self::recent::Recent;
use crate::{
    Anomaly, Criterion, Measure, Severity, Technique, Time,
    case::{self, Case, Opening, Sign},
    detector::Seen,
    limits::MINUTE,
    probes::{Fate, Probes},
    tally::Tally,
};

/// Destinations that are remembered.
const DESTINATIONS: usize = 64;

/// Packets of one kind that a pod sent, and the anomaly about them.
///
/// Packets are exact, of whatever number. A destination is known when a record told it, and records are
/// fewer than packets.
#[derive(Clone, Debug)]
pub(crate) struct Packets {
    recent: Option<Box<Recent<1>>>,
    destinations: Tally<IpAddr, Sign>,
    case: Option<Box<Case>>,
}

/// When there are enough of them, and what that is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) detector: &'static str,
    pub(crate) attack_ids: &'static [&'static str],
    pub(crate) severity: Severity,
    pub(crate) measure: Measure,
    /// So many within a minute.
    pub(crate) threshold: u32,
    /// Whether all else holds that must.
    pub(crate) holds: bool,
    /// An anomaly with nothing new for so long is closed.
    pub(crate) quiet: Duration,
}

impl Default for Packets {
    fn default() -> Self {
        Self {
            recent: None,
            destinations: Tally::new(DESTINATIONS),
            case: None,
        }
    }
}

impl Packets {
    /// Takes in so many packets of one observation, of which records tell the `signs`.
    pub(crate) fn observe(
        &mut self,
        seen: &mut Seen<'_>,
        packets: u64,
        signs: impl Fn(&Seen<'_>) -> Vec<Sign>,
        rule: &Rule,
    ) {
        if packets == 0 && self.recent.is_none() {
            return;
        }
        let now = seen.now;
        let signs = signs(seen);
        let at = signs.iter().map(|sign| sign.passed_at).max().unwrap_or(now);
        for sign in signs {
            let Some(address) = sign.target else { continue };
            let (copy, passed_at) = (sign.clone(), sign.passed_at);
            let new = self
                .destinations
                .insert(address, copy, passed_at, seen.forgotten);
            if let Some(case) = &mut self.case
                && new
                && rule.holds
            {
                case.add(&sign, 0);
            }
        }
        let recent = self.recent.get_or_insert_default();
        recent.add(now, [packets]);
        let [counted] = recent.sums(now);
        if packets > 0 && rule.holds {
            let sign = Sign {
                at: now,
                passed_at: at,
                ..Sign::default()
            };
            match &mut self.case {
                Some(case) => case.add(&sign, packets),
                None if counted >= rule.threshold.into() => {
                    let opening = Opening {
                        id: seen.next_id(),
                        detector: rule.detector,
                        attack_ids: rule.attack_ids,
                        severity: rule.severity,
                        crossed: Criterion {
                            measure: rule.measure,
                            counted,
                            threshold: rule.threshold.into(),
                            window: MINUTE,
                        },
                        crossed_at: at,
                    };
                    let mut case = Case::open(opening, []);
                    case.add(&sign, counted);
                    let mut evidence: Vec<_> = self.destinations.since(now - 2 * MINUTE).collect();
                    evidence.sort_unstable_by_key(|&(address, at, _)| (at, address));
                    for (_, _, sign) in evidence {
                        case.add(sign, 0);
                    }
                    self.case = Some(Box::new(case));
                }
                None => {}
            }
        }
        if seen.live(&mut self.case, rule.quiet) {
            self.destinations.clear();
        }
        if counted == 0 && self.case.is_none() {
            *self = Self::default();
        }
    }

    /// What is open goes on, though there is nothing new.
    pub(crate) fn keep_open(&mut self, at: Time) {
        if let Some(case) = &mut self.case {
            case.keep_open(at);
        }
    }

    /// Nothing is counted and nothing open.
    pub(crate) const fn is_idle(&self) -> bool {
        self.recent.is_none()
    }

    /// Closes what is open.
    pub(crate) fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        let recent = self.recent.as_ref().map_or(0, |_| size_of::<Recent<1>>());
        let case = self.case.as_ref().map_or(0, |case| case.bytes());
        recent + self.destinations.heap_bytes() + case
    }
}

/// What probes of the last observation say that were sent by one of some techniques: to whom, and not to
/// which port, for what became of them there is another matter.
pub(crate) fn sent_by(seen: &Seen<'_>, techniques: &[Technique]) -> Vec<Sign> {
    let sent = seen.steps.iter().filter(|step| {
        let technique = step.technique;
        matches!(step.fate, Fate::Sent { .. })
            && technique.is_some_and(|it| techniques.contains(&it))
    });
    sent.map(|step| Sign {
        at: step.at,
        passed_at: step.passed_at,
        target: Some(step.address),
        technique: step.technique,
        ..Sign::default()
    })
    .collect()
}
