//! Names of services of the cluster that do not exist, and names of all services at once.
//!
//! A client tries a name with each search suffix first: `example.com` as
//! `example.com.default.svc.cluster.local`, then as `example.com.svc.cluster.local`, which looks like a
//! service of a namespace. What is left when the own namespace is cut off the first tells the second. If
//! in the end the name itself does not exist either, and could not exist outside, it meant a service.

use domain::base::iana::Rcode;

use super::thresholds::{SERVICES, Thresholds, WILDCARDS};
use crate::{
    Time,
    case::Sign,
    dns::asked::{self, Asked, Names},
    hash::hash,
    messages::{Exchanged, Name, Service},
    tally::Tally,
    window::{HORIZONS, reached},
};

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(super) struct Services {
    unknown: Names,
    wildcards: Names,
    /// Names that were tried with the pod's own namespace, by their key.
    searched: Tally<u64>,
}

impl Default for Services {
    fn default() -> Self {
        let room = SERVICES as usize;
        Self {
            unknown: Tally::new(room),
            wildcards: Tally::new(WILDCARDS as usize),
            searched: Tally::new(room),
        }
    }
}

impl Services {
    /// A piece of evidence, if a message is one that is new.
    pub(super) fn take_in(&mut self, exchanged: &Exchanged, forgotten: &mut u64) -> Option<Sign> {
        let (at, message) = (exchanged.at, &exchanged.message);
        let name = &message.name;
        let path = self.service(name, at, forgotten)?;
        let names = match message.answer {
            None if is_wildcard(path) => &mut self.wildcards,
            Some(answer) if answer.rcode == Rcode::NXDOMAIN && answer.records == 0 => {
                &mut self.unknown
            }
            _ => return None,
        };
        let asked = Asked::new(exchanged, name.text());
        let sign = asked.sign(at);
        names
            .insert(hash(path), asked, at, forgotten)
            .then_some(sign)
    }

    /// The service or namespace that a name means, unless it is another name with a search suffix.
    fn service<'a>(&mut self, name: &'a Name, at: Time, forgotten: &mut u64) -> Option<&'a str> {
        match name.service() {
            None => {
                let is_one = name.public().is_none() && name.text().split('.').count() == 2;
                (is_one && self.searched.contains(&name.key())).then_some(name.text())
            }
            Some(Service::Longer(path)) => {
                self.search(path, at, forgotten);
                is_wildcard(path).then_some(path)
            }
            Some(Service::Of(path)) => {
                self.search(path, at, forgotten);
                (!self.searched.contains(&hash(path))).then_some(path)
            }
            Some(Service::Namespace(path)) => {
                (!self.searched.contains(&hash(path))).then_some(path)
            }
        }
    }

    /// What stands before the last label may be a name that was tried with the own namespace.
    fn search(&mut self, path: &str, at: Time, forgotten: &mut u64) {
        if let Some((name, _)) = path.rsplit_once('.') {
            self.searched.insert(hash(name), (), at, forgotten);
        }
    }

    /// The horizon that is crossed at that time, what was counted in it, and the count it takes.
    pub(super) fn crossed(&self, at: Time, thresholds: &Thresholds) -> Option<(usize, u32, u32)> {
        let (unknown, wildcards) = (self.unknown.counts(at), self.wildcards.counts(at));
        let limits = [
            thresholds.unknown_services_per_minute,
            thresholds.unknown_services_per_hour,
        ];
        if let Some(horizon) = reached(unknown, limits) {
            return Some((horizon, unknown[horizon], limits[horizon]));
        }
        let limit = thresholds.wildcards_per_minute;
        (wildcards[0] >= limit).then_some((0, wildcards[0], limit))
    }

    /// The evidence of a horizon.
    pub(super) fn evidence(&self, horizon: usize, at: Time) -> Vec<Sign> {
        let start = at - HORIZONS[horizon];
        let wildcards = asked::evidence(&self.wildcards, start);
        asked::evidence(&self.unknown, start)
            .chain(wildcards)
            .collect()
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        asked::heap_bytes(&self.unknown)
            + asked::heap_bytes(&self.wildcards)
            + self.searched.heap_bytes()
    }
}

/// Whether it stands for all services of a namespace, or of all. `any` did in the first name server of
/// clusters; as a single label it may be a name.
fn is_wildcard(path: &str) -> bool {
    path.split('.').any(|label| label == "*") || path.split('.').all(|label| label == "any")
}
