//! The pod table as an operator writes it, in YAML.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::Pods;
use crate::v1;

/// Why a pod table could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PodsError {
    /// The file could not be read.
    #[error("cannot read the pod table {}: check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no pod table.
    #[error("cannot use the pod table {}: correct the file", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<serde_saphyr::Error>,
    },
    /// A value makes no sense.
    #[error("cannot use the pod table {}:{line}: {problem}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The line of the value.
        line: u64,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a value of a pod table.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Not an IP address.
    #[error("`{0}` is no IP address; write it like 10.244.1.5 or fd00::5, without a prefix")]
    Address(String),
    /// Two pods cannot have one address.
    #[error("address {0} is given twice, first on line {1}; remove one")]
    Duplicate(IpAddr, u64),
    /// A name is empty.
    #[error("{0} is empty; give it")]
    Empty(&'static str),
    /// The node is not among those the table lists.
    #[error("node `{0}` is not among `nodes`; add it there or correct it")]
    Node(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    nodes: Vec<Spanned<String>>,
    #[serde(default)]
    pods: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    namespace: Spanned<String>,
    name: Spanned<String>,
    #[serde(default)]
    uid: String,
    node: Option<Spanned<String>>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    addresses: Vec<Spanned<String>>,
}

/// Reads a pod table.
///
/// # Errors
/// When the file cannot be read or used, naming the line to correct.
pub fn read(path: &Path) -> Result<Pods, PodsError> {
    let path = || path.to_owned();
    let text = fs::read_to_string(path()).map_err(|source| PodsError::Read {
        path: path(),
        source,
    })?;
    let options = serde_saphyr::options! { with_snippet: false };
    let file = serde_saphyr::from_str_with_options(&text, options).map_err(|source| {
        PodsError::Syntax {
            path: path(),
            source: Box::new(source),
        }
    })?;
    check(file).map_err(|(line, problem)| PodsError::Value {
        path: path(),
        line,
        problem,
    })
}

type Fault = (u64, Problem);

fn check(file: File) -> Result<Pods, Fault> {
    let mut listed = BTreeSet::new();
    for node in file.nodes {
        listed.insert(filled(node, "the name of the node")?);
    }
    let mut named = listed.clone();
    let mut lines = HashMap::new();
    let mut pods = Vec::with_capacity(file.pods.len());
    for entry in file.pods {
        let node = entry
            .node
            .map(|node| known(node, &listed))
            .transpose()?
            .unwrap_or_default();
        if !node.is_empty() {
            named.insert(node.clone());
        }
        pods.push(v1::Pod {
            namespace: filled(entry.namespace, "namespace")?,
            name: filled(entry.name, "name")?,
            uid: entry.uid,
            labels: entry.labels,
            node,
            addresses: entry
                .addresses
                .into_iter()
                .map(|text| unique(text, &mut lines))
                .collect::<Result<_, _>>()?,
            ..v1::Pod::default()
        });
    }
    Ok(Pods::from_table(v1::PodTable { pods, more: false }).with_nodes(named))
}

fn filled(text: Spanned<String>, what: &'static str) -> Result<String, Fault> {
    if text.value.trim().is_empty() {
        return Err((text.referenced.line(), Problem::Empty(what)));
    }
    Ok(text.value)
}

fn known(node: Spanned<String>, listed: &BTreeSet<String>) -> Result<String, Fault> {
    let line = node.referenced.line();
    let node = filled(node, "the name of the node")?;
    if !listed.is_empty() && !listed.contains(&node) {
        return Err((line, Problem::Node(node)));
    }
    Ok(node)
}

fn unique(text: Spanned<String>, lines: &mut HashMap<IpAddr, u64>) -> Result<String, Fault> {
    let line = text.referenced.line();
    let Some(address) = super::address_of(&text.value) else {
        return Err((line, Problem::Address(text.value)));
    };
    if let Some(first) = lines.insert(address, line) {
        return Err((line, Problem::Duplicate(address, first)));
    }
    Ok(address.to_string())
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn read_text(text: &str) -> Result<Pods, PodsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pods.yaml");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_table_is_read() {
        let pods = read_text(
            "nodes: [n1, n2]\n\
             pods:\n\
             - {namespace: default, name: app1, uid: u1, node: n1, addresses: [10.244.147.92]}\n\
             - namespace: blue\n\
             \x20 name: app2\n\
             \x20 node: n1\n\
             \x20 addresses:\n\
             \x20 - 10.244.147.93\n\
             \x20 - fd00::93\n",
        )
        .unwrap();
        let app2 = pods.by_address("fd00::93".parse().unwrap()).unwrap();
        assert_eq!((app2.namespace.as_str(), app2.uid.as_str()), ("blue", ""));
        assert_eq!(pods.of_node("n1").pods.len(), 2);
        assert!(pods.knows_node("n2"), "listed without a pod");
        assert!(!pods.knows_node("n3"));
    }

    #[test]
    fn nodes_that_only_pods_name_are_known_and_others_are_not() {
        let entry = "pods: [{namespace: a, name: b, node: n1, addresses: []}]";
        let pods = read_text(entry).unwrap();
        assert!(pods.knows_node("n1"));
        assert!(!pods.knows_node("n2"));
    }

    #[test]
    fn a_bad_table_is_refused_with_its_line() {
        let pod = |rest: &str| format!("nodes: [n1]\npods:\n- {{namespace: a, name: b, {rest}}}\n");
        for (text, expected) in [
            (
                pod("addresses: [10.0.0.300]"),
                "pods.yaml:3: `10.0.0.300` is no IP address",
            ),
            (
                pod("addresses: [10.0.0.0/8]"),
                "pods.yaml:3: `10.0.0.0/8` is no IP address",
            ),
            (
                pod("addresses: [10.0.0.1, '::ffff:10.0.0.1']"),
                "pods.yaml:3: address 10.0.0.1 is given twice, first on line 3",
            ),
            (
                pod("node: n2, addresses: []"),
                "pods.yaml:3: node `n2` is not among `nodes`",
            ),
            (
                pod("node: '', addresses: []"),
                "pods.yaml:3: the name of the node is empty",
            ),
            ("nodes: ['']\n".into(), "pods.yaml:1: the name of the node"),
            (
                "pods:\n- {namespace: '', name: b, addresses: []}\n".into(),
                "pods.yaml:2: namespace is empty",
            ),
            (
                "pods:\n- {namespace: a, name: ' ', addresses: []}\n".into(),
                "pods.yaml:2: name is empty",
            ),
            (pod("adresses: []"), "unknown field `adresses`"),
            ("podz: []\n".into(), "unknown field `podz`"),
            ("pods:\n- {namespace: a, name: b}\n".into(), "addresses"),
            ("pods: [\n".into(), "line "),
        ] {
            let error = read_text(&text).unwrap_err();
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            let message = format!("{error}: {source}");
            assert!(message.contains(expected), "{text}\ngave {message}");
            assert!(message.contains("pods.yaml"), "{message}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/nowhere/pods.yaml")).err().unwrap();
        assert!(error.to_string().contains("/nowhere/pods.yaml"), "{error}");
    }
}
