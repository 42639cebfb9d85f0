//! Finds pods that carry data in the names they ask for, and in the answers.
//!
//! Names of one registered domain are counted together, and only distinct ones that look like data:
//! whoever carries data asks for each name once, or a cache answers. How many it takes depends on what is
//! asked for, since content networks, advertisers and virus scanners have such names too:
//!
//! - types that **nobody uses**, of which each name counts;
//! - types whose answers carry data **both ways**, as tunnels need;
//! - addresses, by which data can leave **one way**.
//!
//! Names that end in no possible top-level domain, as those of a tunnel straight to its server, and names so
//! long that their end is not known, are counted by the server. Names of the cluster and of the tree of addresses never count.

mod data;
mod domain;
mod thresholds;

pub use self::thresholds::Thresholds;
use self::{
    data::is_data,
    domain::{Domain, Way},
};
use super::{
    asked::{self, Asked},
    groups::Groups,
};
use crate::{
    Anomaly, AnomalyId, Criterion, Measure, Severity, Time, Words,
    case::{self, Case, Opening},
    detector::{Detector, Seen},
    hash::hash,
    messages::Exchanged,
    probes::Probes,
    window::HORIZONS,
};

/// Domains with such names that are remembered of one pod.
const DOMAINS: usize = 8;
/// An answer of so many bytes carries more than one that says what a name is for.
const LARGE: u32 = 256;

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    domains: Groups<u64, Domain>,
    case: Option<Box<Case>>,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            domains: Groups::new(DOMAINS),
            case: None,
        }
    }
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "dns_tunnel";

    const WORDS: Words = Words {
        opened: "carried data in names it asked {} for",
        updated: "still carries data in names it asks {} for",
        closed: "stopped carrying data in names it asked {} for",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for exchanged in &seen.messages.list {
            let Some(way) = way(exchanged) else {
                continue;
            };
            let (at, name) = (exchanged.at, &exchanged.message.name);
            let group = match name.registered() {
                Some(registered) => hash(registered),
                None => hash(&exchanged.server.to_string()),
            };
            let domain = self.domains.of(group, at, seen.forgotten);
            let asked = Asked::new(exchanged, name.text());
            let sign = asked.sign(at);
            let new = domain.insert(way, name.key(), asked, at, seen.forgotten);
            let Some(horizon) = domain.crossed(way, at, thresholds) else {
                continue;
            };
            match &mut self.case {
                Some(case) => {
                    case.rise(severity(way));
                    if new {
                        case.add(&sign, 1);
                    }
                }
                None => {
                    let id = seen.next_id();
                    let case = open(id, domain, way, horizon, at, thresholds);
                    self.case = Some(Box::new(case));
                }
            }
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            self.domains.clear();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.domains.heap_bytes() + self.case.as_ref().map_or(0, |case| case.bytes())
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}

/// Which way a message carries data, if it looks as if it did.
fn way(exchanged: &Exchanged) -> Option<Way> {
    let (message, name) = (&exchanged.message, &exchanged.message.name);
    // Of a name that does not fit into a sample little else is known. No host has one.
    let way = if name.is_cut() {
        Way::Both
    } else {
        Way::of(message.rtype)
    };
    if name.is_local() || name.is_arpa() || name.below().is_empty() {
        return None;
    }
    let carries = match message.answer {
        None => way == Way::Unused || is_data(name.below()),
        Some(answer) => way != Way::One && answer.records > 0 && exchanged.bytes >= LARGE,
    };
    carries.then_some(way)
}

/// Opens with the names of the window that was crossed.
fn open(
    id: AnomalyId,
    domain: &Domain,
    way: Way,
    horizon: usize,
    at: Time,
    thresholds: &Thresholds,
) -> Case {
    let names = domain.names(way);
    let opening = Opening {
        id,
        detector: <Pod as Detector>::ID,
        attack_ids: &["T1071.004", "T1048"],
        severity: severity(way),
        crossed: Criterion {
            measure: Measure::NamesOfOneDomain,
            counted: names.counts(at)[horizon].into(),
            threshold: way.limits(thresholds)[horizon].into(),
            window: HORIZONS[horizon],
        },
        crossed_at: at,
    };
    Case::open(opening, asked::evidence(names, at - HORIZONS[horizon]))
}

const fn severity(way: Way) -> Severity {
    match way {
        Way::Unused | Way::Both => Severity::High,
        Way::One => Severity::Medium,
    }
}
