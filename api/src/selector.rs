//! Selects pods by namespace and labels.

use std::{collections::BTreeMap, fmt};

use crate::v1;

/// Selects the pods that are in one of the namespaces and have all of the labels. An empty one selects all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selector {
    /// Any, when there are none.
    pub namespaces: Vec<String>,
    /// Each by its key.
    pub labels: BTreeMap<String, String>,
}

impl Selector {
    /// Whether it selects the pod.
    #[must_use]
    pub fn selects(&self, pod: &v1::Pod) -> bool {
        let namespaces = &self.namespaces;
        let mut labels = self.labels.iter();
        (namespaces.is_empty() || namespaces.contains(&pod.namespace))
            && labels.all(|(key, value)| pod.labels.get(key) == Some(value))
    }

    /// Whether a pod may be selected by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (own, others) = (&self.namespaces, &other.namespaces);
        let mut labels = self.labels.iter();
        (own.is_empty() || others.is_empty() || own.iter().any(|it| others.contains(it)))
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
        }
    }

    #[test]
    fn a_pod_is_selected_by_its_namespace_and_all_labels() {
        let labels = [("app", "prometheus"), ("tier", "infra")];
        let pod = v1::Pod {
            namespace: "monitoring".into(),
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
        ] {
            assert_eq!(one.overlaps(&other), overlap, "{one}; {other}");
            assert_eq!(other.overlaps(&one), overlap, "{other}; {one}");
        }
    }
}
