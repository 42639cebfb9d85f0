//! Selects pods by namespace, service account and labels.

use std::{collections::BTreeMap, fmt};

use crate::v1;

/// Selects the pods that are in one of the namespaces, run as one of the service accounts, and have all of the
/// labels. An empty one selects all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selector {
    /// Any, when there are none.
    pub namespaces: Vec<String>,
    /// Any, when there are none. A pod of a table that names no account runs as nobody.
    pub service_accounts: Vec<String>,
    /// Each by its key.
    pub labels: BTreeMap<String, String>,
}

impl Selector {
    /// Whether it selects the pod.
    #[must_use]
    pub fn selects(&self, pod: &v1::Pod) -> bool {
        let among = |given: &[String], own: &String| given.is_empty() || given.contains(own);
        let mut labels = self.labels.iter();
        among(&self.namespaces, &pod.namespace)
            && among(&self.service_accounts, &pod.service_account)
            && labels.all(|(key, value)| pod.labels.get(key) == Some(value))
    }

    /// Whether a pod may be selected by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let meet = |own: &[String], others: &[String]| {
            own.is_empty() || others.is_empty() || own.iter().any(|it| others.contains(it))
        };
        let mut labels = self.labels.iter();
        meet(&self.namespaces, &other.namespaces)
            && meet(&self.service_accounts, &other.service_accounts)
            && labels.all(|(key, value)| other.labels.get(key).is_none_or(|it| it == value))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespaces[..] {
            [] => write!(f, "all namespaces")?,
            [namespace] => write!(f, "namespace {namespace}")?,
            namespaces => write!(f, "namespaces {}", namespaces.join(", "))?,
        }
        match &self.service_accounts[..] {
            [] => {}
            [account] => write!(f, ", service account {account}")?,
            accounts => write!(f, ", service accounts {}", accounts.join(", "))?,
        }
        for (key, value) in &self.labels {
            write!(f, ", {key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(namespaces: &[&str], labels: &[(&str, &str)]) -> Selector {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Selector {
            namespaces: namespaces.iter().map(ToString::to_string).collect(),
            labels: labels.iter().map(owned).collect(),
            ..Selector::default()
        }
    }

    fn running_as(accounts: &[&str]) -> Selector {
        Selector {
            service_accounts: accounts.iter().map(ToString::to_string).collect(),
            ..Selector::default()
        }
    }

    #[test]
    fn a_pod_is_selected_by_its_namespace_and_all_labels() {
        let labels = [("app", "prometheus"), ("tier", "infra")];
        let pod = v1::Pod {
            namespace: "monitoring".into(),
            service_account: "scraper".into(),
            labels: selector(&[], &labels).labels.into_iter().collect(),
            ..v1::Pod::default()
        };
        for (selector, selected) in [
            (selector(&[], &[]), true),
            (selector(&["monitoring", "other"], &[]), true),
            (selector(&["other"], &[]), false),
            (selector(&[], &labels[..1]), true),
            (selector(&["monitoring"], &labels), true),
            (selector(&[], &[("app", "grafana")]), false),
            (selector(&[], &[("zone", "a")]), false),
            (running_as(&["scraper", "other"]), true),
            (running_as(&["other"]), false),
        ] {
            assert_eq!(selector.selects(&pod), selected, "{selector}");
        }
    }

    #[test]
    fn selectors_overlap_unless_something_tells_them_apart() {
        let app = |app| selector(&[], &[("app", app)]);
        for (one, other, overlap) in [
            (selector(&[], &[]), selector(&["a"], &[]), true),
            (selector(&["a", "b"], &[]), selector(&["b"], &[]), true),
            (selector(&["a"], &[]), selector(&["b"], &[]), false),
            (app("x"), app("x"), true),
            (app("x"), app("y"), false),
            (app("x"), selector(&[], &[("tier", "y")]), true),
            (selector(&["a"], &[("app", "x")]), app("x"), true),
            (running_as(&["a"]), running_as(&["b"]), false),
            (running_as(&["a"]), selector(&["a"], &[]), true),
        ] {
            assert_eq!(one.overlaps(&other), overlap, "{one}; {other}");
            assert_eq!(other.overlaps(&one), overlap, "{other}; {one}");
        }
    }
}
