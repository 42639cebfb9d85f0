//! Pods, by name or by pattern.

use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};

/// `NAME` or `NAMESPACE/NAME`, each of which may have `*` and `?`.
#[derive(Clone, Debug)]
pub(super) struct Pods {
    namespace: Option<String>,
    name: String,
    matcher: GlobMatcher,
}

impl FromStr for Pods {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, text),
        };
        let plain = |it: &str| !it.is_empty() && !it.contains(['[', ']', '{', '}', '\\', '/']);
        if !plain(name) || !namespace.as_deref().is_none_or(plain) {
            let takes = "it takes NAME or NAMESPACE/NAME with * and ?, such as shop/web-*";
            return Err(takes.to_owned());
        }
        let glob = format!("{}/{name}", namespace.as_deref().unwrap_or("*"));
        let glob = GlobBuilder::new(&glob).literal_separator(true).build();
        Ok(Self {
            name: name.to_owned(),
            matcher: glob.map_err(|error| error.to_string())?.compile_matcher(),
            namespace,
        })
    }
}

impl Pods {
    pub(super) fn matches(&self, namespace: &str, name: &str) -> bool {
        self.matcher.is_match(format!("{namespace}/{name}"))
    }

    /// None when namespaces and names say it all, each for itself.
    pub(super) fn inexact(all: Vec<Self>) -> Vec<Self> {
        let exact = all
            .iter()
            .all(|it| it.namespace.is_none() && is_exact(&it.name));
        if exact { Vec::new() } else { all }
    }

    /// Of all of them; none when one of them does not tell its own.
    pub(super) fn namespaces(all: &[Self]) -> Vec<String> {
        exact(all.iter().map(|it| it.namespace.clone()))
    }

    /// The same of names.
    pub(super) fn names(all: &[Self]) -> Vec<String> {
        exact(all.iter().map(|it| Some(it.name.clone())))
    }
}

fn exact(all: impl Iterator<Item = Option<String>>) -> Vec<String> {
    all.map(|it| it.filter(|it| is_exact(it)))
        .collect::<Option<_>>()
        .unwrap_or_default()
}

fn is_exact(text: &str) -> bool {
    !text.contains(['*', '?'])
}
