//! How often each exception of the policy in force kept an event back.

use std::collections::BTreeMap;

use api::{policy::Policy, v1};

use super::metrics::{ByException, Metrics};

/// How often each exception of the policy in force kept an event back.
#[derive(Debug)]
pub struct Hits {
    by_name: BTreeMap<String, u64>,
    metrics: Metrics,
}

impl Hits {
    /// Of no exception yet.
    #[must_use]
    pub const fn new(metrics: Metrics) -> Self {
        Self {
            by_name: BTreeMap::new(),
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
        for name in former.keys().filter(|it| !self.by_name.contains_key(*it)) {
            self.metrics.hits.remove(&label(name));
        }
        for name in self.by_name.keys() {
            drop(self.metrics.hits.get_or_create(&label(name)));
        }
    }

    /// An exception of this name kept an event back.
    pub fn add(&mut self, name: &str) {
        if let Some(count) = self.by_name.get_mut(name) {
            *count += 1;
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

fn label(name: &str) -> ByException {
    ByException {
        exception: name.to_owned(),
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
}
