//! Other NetworkPolicies that select the pod: what one of them allows, no policy takes away.

use std::{collections::BTreeMap, fs, io, path::Path};

use api::v1;
use serde::Deserialize;
use serde_json::Value;

/// As of `kubectl get networkpolicy --output json`.
#[derive(Debug, Deserialize)]
pub(super) struct Policies {
    items: Vec<Policy>,
}

#[derive(Debug, Deserialize)]
struct Policy {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    pod_selector: Selector,
    #[serde(default)]
    ingress: Vec<Value>,
    #[serde(default)]
    egress: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Selector {
    match_labels: BTreeMap<String, String>,
    match_expressions: Vec<Expression>,
}

#[derive(Debug, Deserialize)]
struct Expression {
    key: String,
    operator: String,
    #[serde(default)]
    values: Vec<String>,
}

/// Reads them from a file, or from standard input when it is called `-`.
pub(super) fn read(path: &Path) -> io::Result<Policies> {
    let text = match path == Path::new("-") {
        true => io::read_to_string(io::stdin())?,
        false => fs::read_to_string(path)?,
    };
    Ok(serde_json::from_str(&text)?)
}

impl Policies {
    /// Names of those, but `own`, that still allow the pod something, with the directions.
    pub(super) fn allowing(&self, pod: &v1::Pod, own: &str) -> Vec<String> {
        let items = self.items.iter();
        let others = items.filter(|it| {
            it.metadata.namespace == pod.namespace
                && it.metadata.name != own
                && it.spec.pod_selector.selects(&pod.labels)
        });
        let told = others.filter_map(|it| {
            let directions = match (it.spec.ingress.is_empty(), it.spec.egress.is_empty()) {
                (true, true) => return None,
                (false, true) => "ingress",
                (true, false) => "egress",
                (false, false) => "ingress and egress",
            };
            Some(format!("{}: {directions}", it.metadata.name))
        });
        told.collect()
    }
}

impl Selector {
    fn selects<'a>(&self, labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> bool {
        let labels: BTreeMap<_, _> = labels.into_iter().collect();
        let mut wanted = self.match_labels.iter();
        let mut expressions = self.match_expressions.iter();
        wanted.all(|(key, value)| labels.get(key) == Some(&value))
            && expressions.all(|it| it.holds(labels.get(&it.key).copied()))
    }
}

impl Expression {
    /// As Kubernetes has it. One that is not known may hold.
    fn holds(&self, value: Option<&String>) -> bool {
        match &self.operator[..] {
            "In" => value.is_some_and(|it| self.values.contains(it)),
            "NotIn" => value.is_none_or(|it| !self.values.contains(it)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_selects_the_pod_and_allows_something_is_named() {
        let pod = v1::Pod {
            namespace: "blue".into(),
            labels: [("app".to_owned(), "web".to_owned())].into(),
            ..v1::Pod::default()
        };
        for (spec, expected) in [
            (r#""podSelector": {}, "ingress": [{}]"#, Some("ingress")),
            (
                r#""podSelector": {"matchLabels": {"app": "web"}}, "egress": [{}]"#,
                Some("egress"),
            ),
            (
                r#""podSelector": {"matchLabels": {"app": "db"}}, "egress": [{}]"#,
                None,
            ),
            (
                r#""podSelector": {}, "policyTypes": ["Ingress", "Egress"]"#,
                None,
            ),
            (
                r#""podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]},
                   "ingress": [{}], "egress": [{}]"#,
                Some("ingress and egress"),
            ),
            (
                r#""podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
                   "ingress": [{}]"#,
                None,
            ),
            (
                r#""podSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
                   "ingress": [{}]"#,
                None,
            ),
        ] {
            let text = format!(
                r#"{{"items": [{{"metadata": {{"name": "p", "namespace": "blue"}}, "spec": {{{spec}}}}}]}}"#
            );
            let policies: Policies = serde_json::from_str(&text).unwrap();
            let told = policies.allowing(&pod, "own");
            let expected: Vec<_> = expected.map(|it| format!("p: {it}")).into_iter().collect();
            assert_eq!(told, expected, "{spec}");
            assert!(policies.allowing(&pod, "p").is_empty(), "it is the same");
            let red = v1::Pod {
                namespace: "red".into(),
                ..pod.clone()
            };
            assert!(policies.allowing(&red, "own").is_empty());
        }
    }
}
