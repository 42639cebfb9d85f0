//! How often each exception of the policy in force kept an event back.

use std::collections::{BTreeMap, BTreeSet};

use api::{policy::Policy, v1};

use super::metrics::{Metrics, label};

/// Exceptions that have a series each, the first of the policy: a process has 200 at most. The others share one.
const SHOWN: usize = 24;

/// By what name those go; no exception has it.
const OTHERS: &str = "";

/// How often each exception of the policy in force kept an event back.
#[derive(Debug)]
pub struct Hits {
    by_name: BTreeMap<String, u64>,
    shown: BTreeSet<String>,
    metrics: Metrics,
}

impl Hits {
    /// Of no exception yet.
    #[must_use]
    pub const fn new(metrics: Metrics) -> Self {
        Self {
            by_name: BTreeMap::new(),
            shown: BTreeSet::new(),
            metrics,
        }
    }

    /// Another policy is in force: an exception that stays keeps its count.
    pub fn follow(&mut self, policy: &Policy) {
        let former = std::mem::take(&mut self.by_name);
        for exception in &policy.exceptions {
            let count = former.get(&exception.name).copied().unwrap_or(0);
            self.by_name.insert(exception.name.clone(), count);
        }
        let names = policy.exceptions.iter().map(|it| it.name.clone());
        let shown = names.clone().take(SHOWN).collect();
        let former = std::mem::replace(&mut self.shown, shown);
        for name in former.difference(&self.shown) {
            self.metrics.hits.remove(&label(name));
        }
        for name in &self.shown {
            self.metrics.show(name);
        }
        match names.len() > SHOWN {
            true => self.metrics.show(OTHERS),
            false => drop(self.metrics.hits.remove(&label(OTHERS))),
        }
    }

    /// An exception of this name kept an event back.
    pub fn add(&mut self, name: &str) {
        if let Some(count) = self.by_name.get_mut(name) {
            *count += 1;
            let name = if self.shown.contains(name) {
                name
            } else {
                OTHERS
            };
            self.metrics.hits.get_or_create(&label(name)).inc();
        }
    }

    /// All of them.
    #[must_use]
    pub fn report(&self) -> Vec<v1::ExceptionHits> {
        let hits = self.by_name.iter();
        hits.map(|(name, hits)| v1::ExceptionHits {
            name: name.clone(),
            hits: *hits,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use api::policy::Exception;

    use super::*;

    #[test]
    fn an_exception_that_stays_keeps_its_count_and_one_that_went_is_forgotten() {
        let policy = |names: &[&str]| Policy {
            exceptions: names
                .iter()
                .map(|name| Exception {
                    name: (*name).to_owned(),
                    ..Exception::default()
                })
                .collect(),
            ..Policy::default()
        };
        let mut hits = Hits::new(Metrics::default());
        hits.follow(&policy(&["a", "b"]));
        for name in ["a", "b", "b", "none"] {
            hits.add(name);
        }
        hits.follow(&policy(&["b", "c"]));
        let told: Vec<_> = hits
            .report()
            .into_iter()
            .map(|it| (it.name, it.hits))
            .collect();
        assert_eq!(told, [("b".to_owned(), 2), ("c".to_owned(), 0)]);
        hits.follow(&policy(&["a"]));
        assert_eq!(hits.report()[0].hits, 0);
    }

    #[test]
    fn beyond_a_bound_exceptions_share_a_series() {
        let metrics = Metrics::default();
        let mut hits = Hits::new(metrics.clone());
        let named = |count| Policy {
            exceptions: (0..count)
                .map(|index| Exception {
                    name: format!("e{index}"),
                    ..Exception::default()
                })
                .collect(),
            ..Policy::default()
        };
        let told = |name: &str| metrics.hits.get(&label(name)).map(|it| it.get());
        hits.follow(&named(100));
        for name in ["e0", "e23", "e24", "e99", "e99"] {
            hits.add(name);
        }
        assert_eq!(
            [told("e0"), told("e23"), told(OTHERS)],
            [Some(1), Some(1), Some(3)]
        );
        assert_eq!([told("e24"), told("e99")], [None, None]);
        let counted = hits.report().into_iter().find(|it| it.name == "e99");
        assert_eq!(counted.map(|it| it.hits), Some(2));
        hits.follow(&named(1));
        assert_eq!(
            [told("e0"), told("e23"), told(OTHERS)],
            [Some(1), None, None]
        );
    }
}
